"""One function for each thing that a person asks of networks on a shelf.

Each reads from the shelf, reads rows again or trains where it must, and answers with a frozen
record of `modelshelf.insight`, the same whichever face shows it.
"""
