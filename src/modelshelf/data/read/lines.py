"""A text file's lines, a block at a time: in UTF-8 that ends its lines with a newline alone.

What is held does not grow with the file.
"""

from __future__ import annotations

import codecs
import gzip
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from modelshelf.core.errors import DataError
from modelshelf.data.read.limits import GIB, LONGEST, MOST_STREAMED, PACKED, size_of

__all__ = ["BLOCK", "blocks", "encoding_of", "first_lines", "lines_of", "other_encoding", "pieces"]

BLOCK = 1 << 21  #: bytes that are read at a time
_LOOKED_AT = 65536  # bytes that tell whether a file is text

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NOT_IN_CP1252 = (b"\x81", b"\x8d", b"\x8f", b"\x90", b"\x9d")


def pieces(path: Path) -> Iterator[bytes]:
    """The bytes of a file, unpacked where gzip packed them.

    Raises `DataError` where it cannot be unpacked, or unpacks to more than a table would.
    """
    packed, total = False, 0
    most = max(MOST_STREAMED, PACKED * size_of(path))
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            source = gzip.GzipFile(fileobj=file) if packed else file
            while piece := source.read(BLOCK):
                total += len(piece)
                if packed and total > most:
                    raise DataError(
                        f"{str(path)!r} was cut off: it unpacks to more than {most / GIB:,.0f} "
                        f"GiB, {total // max(size_of(path), 1):,} times its size. If it is meant, "
                        "unpack it first."
                    )
                yield piece
    except (OSError, EOFError, zlib.error) as error:
        what = "unpacked as gzip" if packed else "read"
        raise DataError(f"{str(path)!r} cannot be {what}: {error}.") from None


def encoding_of(path: Path) -> str:
    """What its first bytes say; UTF-8 where they say nothing. `DataError` where it is no text."""
    data = next(pieces(path), b"")
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return encoding
    if b"\x00" in data[:_LOOKED_AT]:
        raise DataError(
            f"{str(path)!r} is binary, not text: expected CSV, or a name that ends in .parquet, "
            ".arrow, .arff or .npz."
        )
    return "utf-8"


def other_encoding(path: Path) -> str:
    """That of text which is not UTF-8: Windows-1252, or Latin-1 where it has what that lacks."""
    found, begin = "cp1252", b""
    for piece in pieces(path):
        begin += piece[: _LOOKED_AT - len(begin)]
        if any(each in piece for each in _NOT_IN_CP1252):
            found = "latin-1"
    text = begin.decode("cp1252", errors="replace")
    odd = sum(1 for c in text if c == "\ufffd" or (c < " " and c not in "\t\r\n\f\v"))
    if odd > 0.02 * len(text):
        raise DataError(
            f"{str(path)!r} is not text in any encoding that is known here: expected CSV in "
            "UTF-8, UTF-16 or Windows-1252."
        )
    return found


def blocks(path: Path, encoding: str) -> Iterator[bytes]:
    """Blocks of whole lines. Raises `UnicodeDecodeError` where the text is in another encoding."""
    held: list[bytes] = []
    size = 0
    for piece in _newlines(_recoded(pieces(path), encoding)):
        end = piece.rfind(b"\n") + 1
        if end:
            yield _checked(b"".join([*held, piece[:end]]))
            held, size = [], 0
        held.append(piece[end:])
        size += len(piece) - end
        if size > LONGEST:
            raise DataError(
                f"{str(path)!r} has a line of more than {LONGEST >> 20} MiB: expected a table, a "
                "line for each row."
            )
    if size:
        yield _checked(b"".join(held))


def _recoded(source: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """Pieces in UTF-8, without a byte order mark."""
    if encoding == "utf-8":
        yield from source
        return
    if encoding == "utf-8-sig":
        skipped = len(codecs.BOM_UTF8)
        for piece in source:
            yield piece[skipped:]
            skipped = 0
        return
    decoder = codecs.getincrementaldecoder(encoding)()
    for piece in source:
        yield decoder.decode(piece).encode()
    yield decoder.decode(b"", final=True).encode()


def _newlines(source: Iterable[bytes]) -> Iterator[bytes]:
    """Pieces whose lines end where CSV says, and not at the other marks that Python knows."""
    held = b""
    for given in source:
        piece = held + given
        held = b"\r" if piece.endswith(b"\r") else b""
        piece = piece.removesuffix(b"\r")
        if b"\r" in piece:
            piece = piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        yield piece
    if held:
        yield b"\n"


def _checked(block: bytes) -> bytes:
    if not block.isascii():
        block.decode()
    return block


def first_lines(path: Path, encoding: str, count: int) -> list[str]:
    """The first lines, without their ends."""
    held, found = [], 0
    for block in blocks(path, encoding):
        held.append(block)
        found += block.count(b"\n")
        if found >= count:
            break
    return b"".join(held).decode().split("\n")[:count]


def lines_of(block: bytes) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Where each line of a block begins and ends, and whether it is blank."""
    data = np.frombuffer(block, np.uint8)
    ends = np.flatnonzero(data == ord("\n"))
    if not block.endswith(b"\n"):
        ends = np.append(ends, len(data))
    starts = np.concatenate([[0], ends[:-1] + 1])
    blank = starts == ends
    first = data[np.minimum(starts, len(data) - 1)]
    for at in np.flatnonzero(~blank & ((first <= ord(" ")) | (first >= 127))):
        blank[at] = not block[starts[at] : ends[at]].decode().strip()
    return starts, ends, blank
