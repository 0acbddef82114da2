"""`python -m emotone` is the command line."""

from emotone.cli import main

main()
