"""The compiled NumPy engine: one member is trained by one core, whole epochs at a time.

Read `step.py` first: it is the whole of training, as plain loops. Numba compiles it; with
`NUMBA_DISABLE_JIT=1` the same source runs as ordinary Python, for reading and stepping.
"""

from modelshelf.engines.numpy_.answer import Network
from modelshelf.engines.numpy_.engine import Member, NumpyEngine
from modelshelf.engines.numpy_.numerics import numerics_fingerprint

__all__ = ["Member", "Network", "NumpyEngine", "numerics_fingerprint"]
