"""`python -m modelshelf`: the program."""

from modelshelf.cli.app import entry

__all__ = ["entry"]

if __name__ == "__main__":
    entry()
