"""The command line: thin faces over `modelshelf.api`, the study and the shelf."""
