"""`python -m modelshelf`: the program."""

from modelshelf.cli.app import entry

entry()
