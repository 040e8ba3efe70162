"""Images of another size or other colours than a network learned from, brought to its own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from modelshelf.core.errors import DataError
from modelshelf.data.read.decode import need_pillow, plain, resized
from modelshelf.data.tensor import Tensor, shape_words

__all__ = ["brought_to"]


def brought_to(rows: Tensor, shape: Sequence[int], name: str) -> tuple[Tensor, str]:
    """Rows of this shape, and a note on what was done to them; the same rows where they have it.

    Images of uint8 are resized, and become grey or coloured. Raises `DataError`, naming `name`, for
    rows that cannot be brought to the shape.
    """
    wanted = tuple(shape)
    if rows.shape == wanted:
        return rows, ""
    if not rows.image or rows.dtype != np.uint8 or len(wanted) != 3 or wanted[0] not in (1, 3):
        raise DataError(
            f"{name} has rows of shape {rows.shape}: expected {wanted}, as the network learned "
            "from. Only images of uint8 are resized."
        )
    need_pillow("Resizing images")
    from PIL import Image

    found = np.empty((rows.height, *wanted), np.uint8)
    at = 0
    for block in rows.blocks():
        for pixels in block.transpose(0, 2, 3, 1):
            flat = pixels[:, :, 0] if pixels.shape[2] == 1 else pixels
            image = plain(Image.fromarray(np.ascontiguousarray(flat)), wanted[0])
            found[at] = resized(image, (wanted[0], wanted[1], wanted[2]))
            at += 1
    was, now = shape_words(rows.shape, True), shape_words(wanted, True)
    return Tensor(found, image=True), f"{was} were made {now}, as the network learned from"
