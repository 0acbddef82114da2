"""The command line: a file for each command or family of commands; argument -> call, and what is shown."""

from emotone.cli.app import main

__all__ = ["main"]
