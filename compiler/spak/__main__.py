"""`python -m spak` is the `spak` program."""

from spak.cli import main

if __name__ == "__main__":
    main()
