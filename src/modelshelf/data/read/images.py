"""Images in files: a folder of class folders, or a table that names a file in each row."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import polars as pl

from modelshelf.core.errors import DataError
from modelshelf.data.dataset import Table
from modelshelf.data.read.decode import need_pillow
from modelshelf.data.read.delimited import read_delimited
from modelshelf.data.read.idx import LABEL, is_idx
from modelshelf.data.read.kept import Problems, pixels_of
from modelshelf.data.tensor import Tensor

__all__ = ["FILE", "named_images", "read_folder", "usual_target"]

FILE = "file"  #: the column with each image's name

_ENDINGS = (
    ".png", ".jpg", ".jpeg", ".jfif", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm",
    ".pbm",
)  # fmt: skip
_TABLES = (".csv", ".tsv")
_PARTS = ("test", "testing", "train", "training", "val", "valid", "validation")
_MOST_BROKEN = 0.1  # of the files, that are left out with no more than a word


def read_folder(path: Path) -> Table:
    """Read a folder: of class folders, of images, or with a table that names images.

    Columns are `file` and, where each image lies in a class folder, `label`. Broken images are
    left out, which a note says. Raises `DataError` for a folder in which no images are found, or
    too many that cannot be read.
    """
    here = [each for each in _listed(path) if each.is_file()]
    folders = [each for each in _listed(path) if each.is_dir() and not _round(each, path)]
    tables = [each for each in here if each.suffix.lower() in _TABLES]
    if tables and (named := _by_table(path, tables)) is not None:
        return named
    _refuse_parts(path, folders)
    found = {each: list(_images_in(each)) for each in folders}
    classes = {each: files for each, files in found.items() if files}
    flat = [each for each in here if _is_image(each)]
    if classes:
        files = [file for each in classes.values() for file in each]
        labels = [each.name for each, inside in classes.items() for _ in inside]
        notes = [f"{len(flat)} images that lie in no class folder are left out"] if flat else []
        notes += [f"{each.name}: a folder without images" for each in folders if not found[each]]
        frame = pl.DataFrame({FILE: [str(f.relative_to(path)) for f in files], LABEL: labels})
        return _table(path.name, frame, files, notes)
    if flat:
        return _table(path.name, pl.DataFrame({FILE: [each.name for each in flat]}), flat, [])
    raise DataError(_nothing(path, here))


def named_images(table: Table, path: Path) -> Table | None:
    """The images that a column of a table names, by paths from the table's own folder.

    They may also lie in a folder beside it (`train.csv`, `train/`). None where no column does so.
    Raises `DataError` where a file of it is missing.
    """
    for series in table.frame:
        first = next((each for each in series if each is not None), None)
        if not isinstance(first, str):
            continue
        folder = _folder_of(first, path.parent)
        if folder is None:
            continue
        return _from_column(table, series, folder)
    return None


def usual_target(table: Table) -> str | None:
    """The column to predict where nothing is said: an image's label; None where it must be said.

    Raises `DataError` where images have nothing beside them that could be predicted.
    """
    if table.tensor is None:
        return None
    names = [each for each in table.frame.columns if each != FILE]
    if not names:
        raise DataError(
            f"The images of {table.name} have no labels: expected a folder for each class, a table "
            "that names them, or the file of their labels beside them."
        )
    return LABEL if LABEL in names else names[0] if len(names) == 1 else None


def _from_column(table: Table, series: pl.Series, folder: Path) -> Table:
    unnamed = series.is_null()
    frame = table.frame.filter(~unnamed)
    notes = list(table.notes)
    if unnamed.any():
        notes.append(f"{int(unnamed.sum())} rows without a file name are left out")
    files = [folder / each for each in frame[series.name]]
    missing = [each for each in files if not _is_there(each)]
    if missing:
        raise DataError(
            f"{table.name}: {len(missing)} of the {len(files)} files that its column "
            f"{series.name!r} names are not in {str(folder)!r}, the first {missing[0].name!r}. Put "
            "them there, or leave their rows out."
        )
    rest = [each for each in frame.columns if each != series.name]
    renamed = frame.rename({series.name: FILE}) if FILE not in rest else frame
    return _table(table.name, renamed, files, notes)


def _folder_of(name: str, beside: Path) -> Path | None:
    """The folder in which a file of this name lies: that of the table, or one in it."""
    if not _is_image(Path(name)):
        return None
    inside = sorted(each for each in _listed(beside) if each.is_dir())
    return next((each for each in (beside, *inside) if _is_there(each / name)), None)


def _is_there(path: Path) -> bool:
    """Whether it is a file. What is too long for a path (a sentence that ends in .png) is none."""
    try:
        return path.is_file()
    except OSError:
        return False


def _by_table(path: Path, tables: Sequence[Path]) -> Table | None:
    """The images that the folder's only table names; None where it names none.

    A table that cannot be read names none: it may be anyone's notes beside the images.
    """
    readable = []
    for each in tables[:8]:
        with suppress(DataError):
            readable.append((each, read_delimited(each)))
    found = [(each, named_images(table, each)) for each, table in readable]
    naming = [(each, table) for each, table in found if table is not None]
    if len(naming) > 1:
        names = " or ".join(repr(str(each)) for each, _ in naming)
        raise DataError(f"{str(path)!r} has several tables that name images: give {names}.")
    return naming[0][1] if naming else None


def _table(name: str, frame: pl.DataFrame, files: Sequence[Path], notes: list[str]) -> Table:
    """The table of these images, without those that cannot be read."""
    need_pillow("Reading image files")
    pixels, problems = pixels_of(files)
    if problems:
        notes.append(_left_out(name, files, problems))
    good = np.array([at for at in range(len(files)) if at not in problems], np.int64)
    rows = Tensor(pixels, good if problems else None, image=True)
    return Table(name, frame[good], tensor=rows, notes=tuple(notes))


def _left_out(name: str, files: Sequence[Path], problems: Problems) -> str:
    """A note on images that cannot be read. Raises `DataError` where they are many."""
    told = "; ".join(f"{files[at].name} {why}" for at, why in list(problems.items())[:3])
    more = f"; and {len(problems) - 3} more" if len(problems) > 3 else ""
    if len(problems) > _MOST_BROKEN * len(files):
        raise DataError(
            f"{name}: {len(problems)} of {len(files)} images cannot be read ({told}{more}). Mend "
            "them or take them out."
        )
    return f"images left out: {told}{more}"


def _listed(path: Path) -> list[Path]:
    """What lies in a folder, by name; nothing that is hidden."""
    try:
        found = [each for each in path.iterdir() if _seen(each.name)]
    except OSError as error:
        raise DataError(f"{str(path)!r} cannot be read: {error.strerror}.") from None
    return sorted(found, key=lambda each: each.name)


def _seen(name: str) -> bool:
    return not name.startswith((".", "__MACOSX"))


def _images_in(folder: Path) -> Iterator[Path]:
    """The images in a folder and in folders in it; links to folders are not followed."""
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(filter(_seen, folders))
        for name in sorted(filter(_seen, names)):
            file = Path(place) / name
            if _is_image(file) and file.is_file():
                yield file


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in _ENDINGS


def _round(folder: Path, path: Path) -> bool:
    """Whether a link leads back to the folder that it lies in, or above."""
    return folder.is_symlink() and path.resolve().is_relative_to(folder.resolve())


def _refuse_parts(path: Path, folders: Sequence[Path]) -> None:
    """Raise `DataError` for a folder of `train` and `test`: these are two tables, not classes."""
    parts = [each for each in folders if each.name.lower() in _PARTS]
    learned = [each for each in parts if each.name.lower().startswith("train")]
    rest = [each for each in parts if each not in learned]  # by name: test before validation
    if learned and rest and len(parts) == len(folders):
        raise DataError(
            f"{str(path)!r} holds {' and '.join(each.name for each in parts)}: give both, "
            f"{str(learned[0])!r} --test {str(rest[0])!r}."
        )


def _nothing(path: Path, here: Sequence[Path]) -> str:
    """What to say of a folder without images."""
    idx = [each for each in here if "images" in each.name and is_idx(each)]
    if idx:
        learned = next((each for each in idx if each.name.startswith("train")), idx[0])
        rest = [each for each in idx if each != learned]
        test = f" --test {str(rest[0])!r}" if rest else ""
        return f"{str(path)!r} is a folder: give the file of images in it, {str(learned)!r}{test}."
    return (
        f"{str(path)!r} is a folder without images: expected a folder for each class with its "
        "images in it, or the file that holds the table."
    )
