"""modelshelf: which neural network should I use for my table, and why?"""

__version__ = "0.1.0"
