"""Arrays and text to the bytes of a safetensors file, and back.

The same content gives the same bytes. The library's own writer does not: it shuffles the metadata
from call to call, and it misreads arrays that are not contiguous.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Tensors = dict[str, NDArray[Any]]

__all__ = ["decode", "encode"]


def encode(tensors: Mapping[str, NDArray[Any]], metadata: Mapping[str, str]) -> bytes:
    """A safetensors file of these arrays, with this text in its header.

    >>> import numpy as np
    >>> decode(encode({"w": np.eye(2)}, {"made by": "hand"}))[1]
    {'made by': 'hand'}

    Raises `TypeError` for an array of anything but numbers and booleans.
    """
    from safetensors.numpy import save

    plain = {name: _plain(name, array) for name, array in tensors.items()}
    data = save(plain)
    end = 8 + int.from_bytes(data[:8], "little")
    header = {"__metadata__": dict(sorted(metadata.items())), **json.loads(data[8:end])}
    written = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    written += b" " * (-len(written) % 8)
    return b"".join((len(written).to_bytes(8, "little"), written, memoryview(data)[end:]))


def _plain(name: str, array: NDArray[Any]) -> NDArray[Any]:
    import numpy as np

    array = np.asarray(array)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"array {name!r} holds {array.dtype}: expected numbers or booleans")
    little = array.dtype.newbyteorder("<")
    return np.require(array, little, "C")


def decode(data: bytes) -> tuple[Tensors, dict[str, str]]:
    """The arrays and the text of a safetensors file.

    Raises `ValueError` where it is none.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        tensors: Tensors = load(data)
    except SafetensorError as error:
        raise ValueError(str(error)) from error
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    return tensors, header.get("__metadata__", {})
