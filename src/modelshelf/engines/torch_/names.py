"""How the shelf tells what a network is from what only training goes on with."""

__all__ = ["FROZEN", "NETWORK"]

NETWORK = "state."  #: begins the names of a module's parameters and buffers
FROZEN = "train."  #: begins the names of all that `thaw` needs besides
