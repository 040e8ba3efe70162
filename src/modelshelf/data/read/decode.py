"""Image files as one array: each decoded once by Pillow, turned upright, brought to one size."""

from __future__ import annotations

import os
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from modelshelf.core.errors import SettingError

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["Header", "decoded", "headers", "need_pillow", "plain", "resized", "shape_of"]

_MOST_PIXELS = 89_478_485  # of a file: Pillow's own limit, above which it may be a bomb
_MOST_ALIKE = 128  # pixels of a side, up to which images that are all alike stay as they are
_MOST_MIXED = 64  # and of others
_AT_A_TIME = 1024  # files that lie decoded in memory
_GREY = ("1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N")
_TURNED = (5, 6, 7, 8)  # EXIF's orientations in which height and width are exchanged
_EXIF_FIRST = ("JPEG", "MPO", "WEBP")  # formats that tell it before they are decoded


@dataclass(frozen=True, slots=True)
class Header:
    """What the first bytes of an image file say; where `problem` is not empty, nothing else."""

    width: int = 0
    height: int = 0
    grey: bool = True
    problem: str = ""


def need_pillow(what: str) -> None:
    """Raise `SettingError` where Pillow is not installed."""
    if find_spec("PIL") is None:
        raise SettingError(
            f"{what} needs Pillow, which is not installed: pip install 'modelshelf[images]'."
        )


def headers(files: Sequence[Path]) -> list[Header]:
    """What each file's first bytes say; no pixel is decoded."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of odd metadata, and of bombs, which are found here
        return [_header(each) for each in files]


def _header(path: Path) -> Header:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            width, height = image.size
            if width * height > _MOST_PIXELS:
                return _bomb()
            if image.format in _EXIF_FIRST and image.getexif().get(0x0112) in _TURNED:
                width, height = height, width
            return Header(width, height, image.mode in _GREY)
    except Image.DecompressionBombError:
        return _bomb()
    except UnidentifiedImageError:
        return Header(problem="is no image")
    except Exception as error:  # Pillow's readers raise many kinds
        return Header(problem=_told(error))


def _bomb() -> Header:
    millions = _MOST_PIXELS // 1_000_000
    return Header(problem=f"has more than {millions} million pixels: it was not decoded")


def shape_of(found: Sequence[Header]) -> tuple[int, int, int]:
    """The shape (channels, height, width) to which images with these headers are brought.

    Images that are all alike stay as they are, up to 128 pixels a side. Others take the size that
    more than half of them have, else the median's, and no more than 64 pixels a side.

    >>> shape_of([Header(100, 80)] * 3), shape_of([Header(100, 80), Header(40, 60)])
    ((1, 80, 100), (1, 64, 64))
    """
    channels = 1 if all(each.grey for each in found) else 3
    sizes = Counter((each.height, each.width) for each in found)
    (height, width), count = sizes.most_common(1)[0]
    if len(sizes) == 1 and max(height, width) <= _MOST_ALIKE:
        return channels, height, width
    if 2 * count <= len(found):
        height = int(median(each.height for each in found))
        width = int(median(each.width for each in found))
    return channels, min(height, _MOST_MIXED), min(width, _MOST_MIXED)


def decoded(
    files: Sequence[Path], found: Sequence[Header], shape: tuple[int, int, int]
) -> Iterator[tuple[NDArray[np.uint8], str]]:
    """Each file's pixels in this shape, and what is wrong with it (then its pixels are 0).

    `found` are the files' headers: one with a problem is not opened again.
    """

    def one(path: Path, header: Header) -> tuple[NDArray[np.uint8], str]:
        problem = header.problem
        if not problem:
            try:
                return _pixels(path, shape), ""
            except Exception as error:  # Pillow's decoders raise many kinds
                problem = _told(error)
        return np.zeros(shape, np.uint8), problem

    with warnings.catch_warnings(), ThreadPoolExecutor(os.cpu_count()) as pool:
        warnings.simplefilter("ignore")  # of odd metadata and palettes
        for begin in range(0, len(files), _AT_A_TIME):
            part = slice(begin, begin + _AT_A_TIME)
            yield from pool.map(one, files[part], found[part])


def _pixels(path: Path, shape: tuple[int, int, int]) -> NDArray[np.uint8]:
    from PIL import Image, ImageOps

    channels, height, width = shape
    with Image.open(path) as image:
        image.draft(
            None, (2 * width, 2 * height)
        )  # a large JPEG is decoded at half its size or less
        upright = plain(ImageOps.exif_transpose(image), channels)
    return resized(upright, shape)


def resized(image: Image, shape: tuple[int, int, int]) -> NDArray[np.uint8]:
    """An image of mode L or RGB as pixels of this shape; its sides are stretched as they must."""
    from PIL import Image

    channels, height, width = shape
    if image.size != (width, height):
        image = image.resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(image, np.uint8).reshape(height, width, channels).transpose(2, 0, 1)


def plain(image: Image, channels: int) -> Image:
    """The image in grey (L) or three colours (RGB); what is transparent lies on white."""
    from PIL import Image

    if image.mode.startswith("I"):  # 16 bits a pixel
        image = Image.fromarray((np.asarray(image) >> 8).clip(0, 255).astype(np.uint8))
    if image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return image.convert("L" if channels == 1 else "RGB")


def _told(error: Any) -> str:
    """An error in a few words, on one line."""
    first = str(error).splitlines()[0] if str(error) else type(error).__name__
    return f"cannot be decoded ({first[:80].rstrip('.')})"
