"""What the last bits of a result hang on: libraries, their versions, and the processor."""

from __future__ import annotations

import hashlib
import json
import platform
from functools import lru_cache

import numba
import numpy as np
import scipy
import scipy.linalg.cython_blas  # the BLAS that kernels call: loaded, so that it is listed
from llvmlite import binding
from threadpoolctl import threadpool_info

__all__ = ["numerics", "numerics_fingerprint"]


@lru_cache(maxsize=1)
def numerics() -> dict[str, str]:
    """Everything that may change the last bits of a training run on this machine."""
    loaded = [each for each in threadpool_info() if each.get("user_api") == "blas"]
    # Kernels call SciPy's BLAS. Others may be loaded too (PyTorch's, say), and do not matter.
    ours = [each for each in loaded if "scipy.libs" in each.get("filepath", "")] or loaded
    blas = sorted(
        f"{e.get('internal_api')} {e.get('version')} {e.get('architecture')}" for e in ours
    )
    return {
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "numba": numba.__version__,
        "compiled": str(not numba.config.DISABLE_JIT),
        "blas": "; ".join(dict.fromkeys(blas)),
        "processor": binding.get_host_cpu_name(),
        "machine": platform.machine(),
    }


@lru_cache(maxsize=1)
def numerics_fingerprint() -> str:
    """A short hash of `numerics`, part of every copy id."""
    text = json.dumps(numerics(), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
