from __future__ import annotations

import platform

import numpy as np
import pytest

from modelshelf.engines.numpy_.subnormal import flushed

TINY = np.full(8, 1e-30, "f4")


@pytest.mark.skipif(
    platform.machine().lower() not in ("x86_64", "amd64"), reason="only there it is known how"
)
def test_numbers_too_small_for_full_precision_are_0_within_and_only_there():
    assert (TINY * np.float32(1e-10) > 0).all()
    with flushed():
        assert (TINY * np.float32(1e-10) == 0).all()
        with flushed():
            pass
        assert (TINY * np.float32(1e-10) == 0).all()
    assert (TINY * np.float32(1e-10) > 0).all()


def test_an_error_within_gives_the_mode_back():
    with pytest.raises(KeyError), flushed():
        raise KeyError
    assert (TINY * np.float32(1e-10) > 0).all()
