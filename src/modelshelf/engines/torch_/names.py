"""How the shelf tells what a network is from what only training goes on with."""

__all__ = ["FROZEN", "NETWORK", "PARAMETERS"]

NETWORK = "state."  #: begins the names of a module's parameters and buffers
PARAMETERS = "parameters"  #: how many numbers were learned; a buffer is none, and all else may be
FROZEN = "train."  #: begins the names of all that `thaw` needs besides
