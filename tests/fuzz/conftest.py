"""What of this folder is no test."""

collect_ignore = ["guided.py"]  # it imports Atheris, which is no requirement
