"""Decoded images kept on disk: decoded once, then mapped into memory by whoever needs them.

They lie in the user's cache folder, a file for each list of images, and may be deleted at any time.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray
from platformdirs import user_cache_path

from modelshelf.data.read.decode import Header, decoded, headers, shape_of

__all__ = ["Problems", "pixels_of"]

_RULES = 1  # of how files become pixels; another number where these change

#: Which files could not be read, by their place in the list, and why.
Problems = dict[int, str]


def pixels_of(files: Sequence[Path]) -> tuple[NDArray[np.uint8], Problems]:
    """The files' pixels (files, channels, height, width), mapped from disk, and what was wrong.

    A file that cannot be read has pixels of 0. Files are known again by path, size and time of
    change. Where the cache cannot be written the pixels are in memory.
    """
    place = user_cache_path("modelshelf") / "images" / f"{_key(files)}.npy"
    try:
        noted = json.loads(place.with_suffix(".json").read_text(encoding="utf-8"))
        array = np.load(place, mmap_mode="r", allow_pickle=False)
        return array, {int(at): why for at, why in noted.items()}
    except (OSError, ValueError, EOFError):
        pass  # not there yet, or damaged
    found = headers(files)
    readable = [each for each in found if not each.problem]
    shape = shape_of(readable) if readable else (1, 1, 1)
    try:
        problems = _write(place, files, found, shape)
        return np.load(place, mmap_mode="r", allow_pickle=False), problems
    except OSError:  # no space, or not ours to write
        pixels, told = zip(*decoded(files, found, shape), strict=True)
        return np.stack(pixels), {at: why for at, why in enumerate(told) if why}


def _key(files: Sequence[Path]) -> str:
    digest = hashlib.sha256(str(_RULES).encode())
    for each in files:
        try:
            stat = each.stat()
            told = f"{each.absolute()}\x1f{stat.st_size}\x1f{stat.st_mtime_ns}\x1e"
        except OSError:
            told = f"{each.absolute()}\x1f\x1e"
        digest.update(told.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()[:32]


def _write(
    place: Path, files: Sequence[Path], found: Sequence[Header], shape: tuple[int, int, int]
) -> Problems:
    """Write the pixels and what was wrong, each under a name of its own until it is whole."""
    place.parent.mkdir(parents=True, exist_ok=True)
    head = {"descr": "|u1", "fortran_order": False, "shape": (len(files), *shape)}
    problems: Problems = {}
    with _whole(place) as file:
        np.lib.format.write_array_header_1_0(file, head)
        for at, (pixels, problem) in enumerate(decoded(files, found, shape)):
            file.write(pixels.tobytes())
            if problem:
                problems[at] = problem
        with _whole(place.with_suffix(".json")) as notes:
            notes.write(json.dumps(problems).encode())
    return problems


@contextmanager
def _whole(place: Path) -> Iterator[IO[bytes]]:
    """A file that stands at its place once all is written, and never in part."""
    with tempfile.NamedTemporaryFile(dir=place.parent, delete=False) as file:
        try:
            yield file
            file.flush()
            os.fsync(file.fileno())  # else a power cut could leave the name, and zeros for pixels
        except BaseException:
            file.close()
            Path(file.name).unlink()
            raise
    Path(file.name).replace(place)
