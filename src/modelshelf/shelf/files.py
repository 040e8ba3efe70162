"""The files of a shelf: networks, preparations, ensembles. No database is touched here."""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelshelf.core.errors import ShelfError
from modelshelf.core.files import sync
from modelshelf.shelf.problems import told
from modelshelf.shelf.records import StoredFile
from modelshelf.shelf.tensors import decode, encode

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Files", "make_folder", "write_atomically", "write_once"]

_NAME = re.compile(r"(networks/\d+/|preparations/|ensembles/)[0-9a-f-]+\.safetensors")


def write_atomically(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Write a file that is there as a whole or, whenever the process dies, not at all.

    Where it is `durable`, not even a power cut undoes it once this returns.
    """
    with _beside(path, data, durable) as written:
        written.replace(path)
    if durable:
        sync(path.parent)


def write_once(path: Path, data: bytes) -> bool:
    """Write a durable file in the same way, unless another process was faster; whether it did."""
    with _beside(path, data, durable=True) as written:
        try:
            path.hardlink_to(written)
        except FileExistsError:
            return False
        except OSError:  # a file system without hard links
            if path.exists():
                return False
            written.replace(path)
    sync(path.parent)
    return True


def make_folder(path: Path) -> bool:
    """Make a folder that a power cut does not undo; returns whether it was not there before."""
    try:
        path.mkdir()
    except FileExistsError:
        return False
    sync(path.parent)
    return True


@contextmanager
def _beside(path: Path, data: bytes, durable: bool) -> Iterator[Path]:
    """A temporary file in the same folder; it is gone afterwards."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")
    try:
        with temporary.open("xb") as file:
            file.write(data)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Files:
    """The files below a shelf's folder. Every method may be called from many threads at once."""

    root: Path

    def write_network(
        self,
        study: int,
        trial: int,
        epoch: int,
        tensors: Mapping[str, NDArray[Any]],
        metadata: Mapping[str, str],
    ) -> StoredFile:
        """Write a network. A file that is there already is never changed.

        A power cut may still undo it: `sync` many of them at once, before a row speaks of them.

        Where the log names a file, it names its bytes: so a network that differs from the one
        that already has its name gets a name of its own.
        """
        data = encode(tensors, metadata)
        checksum = hashlib.sha256(data).hexdigest()
        name = f"networks/{study}/{trial}-{epoch}.safetensors"
        with told(self.root):
            if not self._holds(name, data):
                if (self.root / name).exists():
                    name = f"networks/{study}/{trial}-{epoch}-{checksum[:16]}.safetensors"
                self._write(name, data, durable=False)
        return StoredFile(name, len(data), checksum)

    def read_network(
        self, name: str, checksum: str
    ) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
        """A network's arrays and metadata.

        Raises `FileNotFoundError` where it is gone, `ShelfError` where it is damaged.
        """
        return self._decoded(name, self.bytes_of(name), checksum)

    def write_described(
        self, kind: str, description: Mapping[str, object], arrays: Mapping[str, NDArray[Any]]
    ) -> str:
        """Write a preparation or an ensemble, durably, under the hash of its content; its name."""
        data = encode(arrays, {kind: json.dumps(description, sort_keys=True)})
        name = f"{kind}s/{hashlib.sha256(data).hexdigest()}.safetensors"
        with told(self.root):
            if self._holds(name, data):
                self.sync([name])  # whoever wrote it may have been cut off before that
            else:
                self._write(name, data, durable=True)
        return name

    def read_described(
        self, kind: str, name: str
    ) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """What was written so. Raises `ShelfError` where it is missing or damaged."""
        try:
            data = self.bytes_of(name)
        except FileNotFoundError:
            raise ShelfError(
                f"The {kind} {name} of the shelf at {self.root} is missing: what needs it cannot "
                "be used. Put back a copy of the file."
            ) from None
        arrays, metadata = self._decoded(name, data, Path(name).stem)
        return json.loads(metadata[kind]), arrays

    def bytes_of(self, name: str) -> bytes:
        """The bytes of a file of this shelf. Raises `FileNotFoundError` where it is gone."""
        if not _NAME.fullmatch(name):
            raise ShelfError(f"The shelf at {self.root} is damaged: it names a file {name!r}.")
        with told(self.root):
            try:
                return (self.root / name).read_bytes()
            except (FileNotFoundError, NotADirectoryError):
                gone = FileNotFoundError(name)
        raise gone

    def sync(self, names: Iterable[str]) -> None:
        """Wait until these files are on the disk, and can be found there."""
        names = list(names)
        with told(self.root):
            for name in names:
                sync(self.root / name)
            for folder in dict.fromkeys((self.root / name).parent for name in names):
                sync(folder)

    def remove(self, names: Iterable[str]) -> None:
        """Delete files. One that cannot be deleted is left to be swept."""
        for name in names:
            if _NAME.fullmatch(name):
                with suppress(OSError):
                    (self.root / name).unlink(missing_ok=True)

    def networks(self, study: int) -> Iterator[str]:
        """Names of all files in a study's folder, half-written ones too."""
        return self._listed(f"networks/{study}")

    def every(self) -> Iterator[str]:
        """Names of all files of networks, preparations and ensembles, half-written ones too."""
        yield from self._listed("preparations")
        yield from self._listed("ensembles")
        folder = self.root / "networks"
        for each in sorted(folder.iterdir()) if folder.is_dir() else ():
            yield from self._listed(f"networks/{each.name}")

    def _listed(self, folder: str) -> Iterator[str]:
        path = self.root / folder
        if path.is_dir():
            for each in sorted(path.iterdir()):
                if each.is_file():
                    yield f"{folder}/{each.name}"

    def _holds(self, name: str, data: bytes) -> bool:
        try:
            return (self.root / name).read_bytes() == data
        except FileNotFoundError:
            return False

    def _write(self, name: str, data: bytes, *, durable: bool) -> None:
        path = self.root / name
        try:
            write_atomically(path, data, durable=durable)
        except FileNotFoundError:
            # Not `parents=True`: a shelf that was taken away must not come back as its ghost.
            for folder in reversed(path.relative_to(self.root).parents[:-1]):
                make_folder(self.root / folder)
            write_atomically(path, data, durable=durable)

    def _decoded(
        self, name: str, data: bytes, checksum: str
    ) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
        try:
            if hashlib.sha256(data).hexdigest() != checksum:
                raise ValueError("its checksum is not the one that was written")
            return decode(data)
        except ValueError as error:
            raise ShelfError(
                f"The file {name} of the shelf at {self.root} is damaged ({error}). "
                "Put back a copy of it; `modelshelf shelf --check` lists all that is damaged."
            ) from error
