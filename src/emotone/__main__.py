"""`python -m emotone` is the command line."""

from emotone.cli import main

if __name__ == "__main__":
    main()
