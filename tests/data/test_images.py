"""Images: from whatever they come in, the same pixels; and a clear word where there are none."""

from __future__ import annotations

import gzip
import struct
import zlib
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from modelshelf import tune
from modelshelf.core.errors import DataError, SettingError
from modelshelf.data.prepare import tensor
from modelshelf.data.read import decode, from_memory, kept, read_table, usual_target
from modelshelf.data.tensor import Tensor
from modelshelf.data.understand import conform, understand

ROWS, SIDE = 24, 6


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setattr(kept, "user_cache_path", lambda name: tmp_path / "cache" / name)
    return tmp_path / "cache"


def pixels(colours: int = 3, rows: int = ROWS) -> np.ndarray:
    """(rows, height, width, colours): those of one class are brighter."""
    rng = np.random.default_rng(0)
    bright = np.arange(rows) % 2 * 120
    drawn = rng.integers(0, 120, (rows, SIDE, SIDE + 2, colours))
    return (drawn + bright[:, None, None, None]).astype(np.uint8)


LABELS = np.array(["dark", "light"])[np.arange(ROWS) % 2]


def save(array: np.ndarray, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array[:, :, 0] if array.shape[2] == 1 else array).save(path)


def class_folders(folder: Path, array: np.ndarray, ending: str = "png") -> Path:
    for i, image in enumerate(array):
        save(image, folder / LABELS[i] / f"größe {i:02}.{ending}")
    return folder


def idx(path: Path, array: np.ndarray) -> Path:
    head = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    data = head + array.astype(np.uint8).tobytes()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def same(table, array: np.ndarray, labels=LABELS) -> None:
    """That the table has these images (rows, height, width, colours) under these labels."""
    found, target = table.tensor.read(), table.frame[usual_target(table)].to_numpy()
    expected = np.moveaxis(array, 3, 1)
    for label in np.unique(labels):
        here = {each.tobytes() for each in found[target == label]}
        assert here == {each.tobytes() for each in expected[labels == label]}
    assert len(found) == len(array)


# What they come in


def test_a_folder_of_class_folders(tmp_path):
    table = read_table(class_folders(tmp_path / "animals", pixels()))
    same(table, pixels())
    assert table.name == "animals"
    assert understand(table, "label").summary() == (
        "animals: 24 images of 8 × 6 in 3 colours (uint8)",
        "predicting label: 2 classes (dark 50%, light 50%)",
    )


def test_a_table_that_names_images_is_found_in_its_folder_and_by_itself(tmp_path):
    for i, image in enumerate(pixels()):
        save(image, tmp_path / "set" / "train" / f"{i}.png")
    names = [f"{i}.png" for i in range(ROWS)]
    pl.DataFrame({"id": names, "kind": LABELS}).write_csv(tmp_path / "set" / "train.csv")
    same(read_table(tmp_path / "set"), pixels())
    same(read_table(tmp_path / "set" / "train.csv"), pixels())


@pytest.mark.parametrize("said", [b"", b"\x00\xff\x00\xfe", b'a,b\n"open,1\n', b"a,b\n1,2\n"])
def test_notes_beside_class_folders_are_passed_over(tmp_path, said):
    folder = class_folders(tmp_path / "faces", pixels())
    (folder / "notes.csv").write_bytes(said)
    same(read_table(folder), pixels())


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_idx_with_its_labels(tmp_path, ending):
    grey = pixels(1)
    images = idx(tmp_path / f"train-images-idx3-ubyte{ending}", grey[..., 0])
    idx(tmp_path / f"train-labels-idx1-ubyte{ending}", np.arange(ROWS) % 2)
    same(read_table(images), grey, np.arange(ROWS) % 2)


def test_npz_and_memory_with_colours_last_or_first(tmp_path):
    torch = pytest.importorskip("torch")
    array = pixels()
    first = np.moveaxis(array, 3, 1)
    np.savez(tmp_path / "last.npz", x=array, label=LABELS)
    np.savez(tmp_path / "first.npz", x=first, label=LABELS)
    same(read_table(tmp_path / "last.npz"), array)
    same(read_table(tmp_path / "first.npz"), array)
    for X in (array, torch.from_numpy(first.copy())):
        same(from_memory(X, LABELS)[0], array)
    grey = pixels(1)
    same(from_memory(grey[..., 0], LABELS)[0], grey)


def test_the_same_images_have_the_same_fingerprint_in_whatever_form(tmp_path):
    class_folders(tmp_path / "folder", pixels())
    table = read_table(tmp_path / "folder")
    order = np.argsort([f"{LABELS[i]} {i:02}" for i in range(ROWS)])
    other, _ = from_memory(pixels()[order], LABELS[order], target="label")
    assert understand(table, "label").fingerprint == understand(other, "label").fingerprint


def test_rows_of_two_axes_are_columns_still(tmp_path):
    np.savez(tmp_path / "flat.npz", x=pixels(1).reshape(ROWS, -1), y=LABELS)
    table = read_table(tmp_path / "flat.npz")
    assert table.tensor is None
    assert table.frame.width == SIDE * (SIDE + 2) + 1


# Modes, sizes, and the cache


MODES = {
    "L": ((40,), "L"),
    "LA": ((40, 255), "LA"),
    "RGB": ((40, 40, 40), "RGB"),
    "RGBA": ((40, 40, 40, 255), "RGBA"),
    "CMYK": ((0, 0, 0, 215), "CMYK"),
    "I;16": ((40 * 256,), "I;16"),
}


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_becomes_the_same_grey(tmp_path, mode):
    value, name = MODES[mode]
    ending = "tif" if mode == "CMYK" else "png"
    for label in "ab":
        (tmp_path / "s" / label).mkdir(parents=True)
        one = value if len(value) > 1 else value[0]
        Image.new(name, (4, 4), one).save(tmp_path / "s" / label / f"one.{ending}")
    assert set(read_table(tmp_path / "s").tensor.read().ravel().tolist()) == {40}


def test_what_is_transparent_lies_on_white(tmp_path):
    for label in "ab":
        save(np.zeros((4, 4, 4), np.uint8), tmp_path / label / "clear.png")
    assert (read_table(tmp_path).tensor.read() == 255).all()


def test_a_palette_keeps_its_colours(tmp_path):
    red = Image.new("RGB", (4, 4), (250, 0, 0)).quantize()
    for label in "ab":
        (tmp_path / label).mkdir()
        red.save(tmp_path / label / "red.png")
    assert read_table(tmp_path).tensor.read()[0, :, 0, 0].tolist() == [250, 0, 0]


def test_a_photograph_is_turned_upright(tmp_path):
    lying = Image.new("L", (8, 4))
    exif = lying.getexif()
    exif[0x0112] = 6  # to be turned by a quarter
    for label in "ab":
        (tmp_path / label).mkdir()
        lying.save(tmp_path / label / "lying.jpg", exif=exif)
    assert read_table(tmp_path).tensor.shape == (1, 8, 4)


def test_mixed_sizes_and_modes_become_one(tmp_path):
    class_folders(tmp_path, pixels())
    save(np.full((90, 40, 1), 200, np.uint8), tmp_path / "light" / "tall.png")
    table = read_table(tmp_path)
    assert table.tensor.shape == (3, SIDE, SIDE + 2)  # as more than half of them are
    assert (table.tensor.read()[-1] == 200).all()


def test_large_images_are_made_small(tmp_path):
    for label in "ab":
        save(np.full((300, 200, 3), 9, np.uint8), tmp_path / label / "big.jpg")
    assert read_table(tmp_path).tensor.shape == (3, 64, 64)


def test_images_are_decoded_once_and_again_when_they_change(tmp_path, cache, monkeypatch):
    folder = class_folders(tmp_path / "set", pixels())
    read_table(folder)
    asked = []
    monkeypatch.setattr(kept, "headers", lambda files: asked.append(files) or [])
    first = read_table(folder).tensor
    assert isinstance(first.array, np.memmap)
    assert not asked
    monkeypatch.undo()
    monkeypatch.setattr(kept, "user_cache_path", lambda name: cache / name)
    save(np.full((SIDE, SIDE + 2, 3), 255, np.uint8), folder / "dark" / "größe 00.png")
    assert (read_table(folder).tensor.read()[0] == 255).all()


def test_a_damaged_cache_is_made_again_and_an_unwritable_one_done_without(tmp_path, cache):
    folder = class_folders(tmp_path / "set", pixels())
    read_table(folder)
    for file in cache.rglob("*.npy"):
        file.write_bytes(b"damaged")
    same(read_table(folder), pixels())
    for file in cache.rglob("*"):
        if file.is_file():
            file.unlink()
    (cache / "modelshelf" / "images").rmdir()
    (cache / "modelshelf" / "images").write_text("a file where the folder should be")
    same(read_table(folder), pixels())


def test_other_images_are_brought_to_what_a_network_learned_from():
    dataset = understand(*from_memory(pixels(), LABELS))
    large = np.full((3, 2 * SIDE, 5, 1), 77, np.uint8)
    frame, _, notes = conform(dataset.schema, from_memory(large)[0], need_target=False)
    assert frame.shape == (3, SIDE, SIDE + 2)
    assert (frame.read() == 77).all()
    assert notes == (
        "images of 5 × 12 in grey were made images of 8 × 6 in 3 colours, as the network learned "
        "from",
    )


# What cannot be used


def broken(folder: Path, count: int) -> Path:
    class_folders(folder, pixels())
    for i in range(count):
        (folder / "dark" / f"broken {i}.png").write_bytes(b"\x89PNG\r\n\x1a\nand no more")
    return folder


def test_a_few_broken_images_are_left_out_and_named(tmp_path):
    table = read_table(broken(tmp_path / "set", 1))
    same(table, pixels())
    [note] = understand(table, "label").notes
    assert note == "images left out: broken 0.png is no image"
    assert "broken 0.png" not in "".join(table.frame["file"])


def test_one_that_breaks_off_half_way_is_left_out(tmp_path):
    folder = class_folders(tmp_path / "set", pixels())
    noise = np.random.default_rng(0).integers(0, 255, (SIDE, SIDE + 2, 3), np.uint8)
    save(noise, folder / "dark" / "half.png")
    whole = (folder / "dark" / "half.png").read_bytes()
    (folder / "dark" / "half.png").write_bytes(whole[: len(whole) // 2])
    table = read_table(folder)
    same(table, pixels())
    assert "half.png cannot be decoded" in table.notes[0]
    assert read_table(folder).notes == table.notes  # from the cache too


def test_many_broken_images_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"9 of 33 images cannot be read \(broken 0.png is no im"):
        read_table(broken(tmp_path / "set", 9))


def bomb(path: Path, side: int = 50_000) -> None:
    """A file of a few bytes that says that it has so many pixels a side."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(bytes(1000)))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + head + body + chunk(b"IEND", b""))


@pytest.mark.parametrize("side", [10_000, 50_000])
def test_a_bomb_is_never_decoded(tmp_path, side):
    folder = class_folders(tmp_path / "set", pixels())
    bomb(folder / "dark" / "bomb.png", side)
    [note] = read_table(folder).notes
    assert note == ("images left out: bomb.png has more than 89 million pixels: it was not decoded")


def test_what_is_no_image_is_not_looked_at(tmp_path):
    folder = class_folders(tmp_path / "set", pixels())
    for name in (".DS_Store", "Thumbs.db", "readme.txt", "._dark.png"):
        (folder / "dark" / name).write_bytes(b"nothing to see")
    (folder / ".hidden").mkdir()
    save(pixels()[0], folder / ".hidden" / "one.png")
    save(pixels()[0], folder / "stray.png")
    (folder / "empty").mkdir()
    table = read_table(folder)
    same(table, pixels())
    assert table.notes == (
        "1 images that lie in no class folder are left out",
        "empty: a folder without images",
    )


def test_links_that_go_in_a_circle_are_not_followed(tmp_path):
    folder = class_folders(tmp_path / "set", pixels())
    (folder / "again").symlink_to(folder)
    (folder / "dark" / "round").symlink_to(folder)
    same(read_table(folder), pixels())


SAID = {
    "nothing in it": (lambda folder: None, "is a folder without images"),
    "one class": (
        lambda folder: save(pixels()[0], folder / "cat" / "a.png"),
        "There are 1 rows with",
    ),
    "images without labels": (lambda folder: save(pixels()[0], folder / "a.png"), "no labels"),
    "train and test": (
        lambda folder: [class_folders(folder / part, pixels()) for part in ("train", "test")],
        r"train' --test '.*test'",
    ),
    "a file that is not there": (
        lambda folder: [
            save(pixels()[0], folder / "a.png"),
            (folder / "labels.csv").write_text("name,label\na.png,1\nb.png,2\n"),
        ],
        "1 of the 2 files that its column 'name' names are not in .* the first 'b.png'",
    ),
}


@pytest.mark.parametrize("what", SAID)
def test_a_folder_that_cannot_be_used(tmp_path, what):
    make, said = SAID[what]
    (tmp_path / "set").mkdir()
    make(tmp_path / "set")
    with pytest.raises(DataError, match=said):
        tune(tmp_path / "set", trials=1, shelf=tmp_path / "shelf")
    assert not (tmp_path / "shelf").exists()


def test_more_images_than_memory_are_refused_before_they_are_made(monkeypatch):
    dark = np.zeros((1, 3, 1000, 500), np.uint8)
    images = Tensor(np.broadcast_to(dark, (1000, 3, 1000, 500)), image=True)  # 6 GB as float32
    monkeypatch.setattr(tensor, "available", lambda: 3 * 10**9)
    said = (
        r"^1,000 images of 500 × 1000 in 3 colours need 12\.0 GB of memory, and 3\.0 GB are free: "
        r"give at most 250 of them, or make them 250 × 500\.$"
    )
    with pytest.raises(DataError, match=said):
        tensor.need_memory(images, copies=2)
    with pytest.raises(DataError, match=r"need 6\.0 GB"):
        tensor.need_memory(images)
    tensor.need_memory(images[:250], copies=2)


def test_a_study_of_more_images_than_memory_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(tensor, "_LITTLE", 0)
    monkeypatch.setattr(tensor, "available", lambda: 1000)
    with pytest.raises(DataError, match="give at most 0 of them"):
        tune(
            pixels(), LABELS, trials=1, test=0.25, shelf=tmp_path,
            space={"network": "dense", "epochs": 1},
        )  # fmt: skip


def test_one_class_alone_is_nothing_to_predict(tmp_path):
    for i, image in enumerate(pixels()):
        save(image, tmp_path / "set" / "cat" / f"{i}.png")
    with pytest.raises(DataError, match="is always 'cat'"):
        understand(read_table(tmp_path / "set"), "label")


def test_idx_that_is_cut_off_or_has_other_labels(tmp_path):
    images = idx(tmp_path / "train-images-idx3-ubyte", pixels(1)[..., 0])
    labels = idx(tmp_path / "train-labels-idx1-ubyte", np.arange(ROWS - 1))
    with pytest.raises(DataError, match="has 24 images, and train-labels-idx1-ubyte labels"):
        read_table(images)
    with pytest.raises(DataError, match="give the file of the images"):
        read_table(labels)
    images.write_bytes(images.read_bytes()[:-1])
    with pytest.raises(DataError, match="cut off or damaged"):
        read_table(images)
    labels.unlink()
    with pytest.raises(DataError, match=r"give the file of images in it, '.*idx3-ubyte'\."):
        read_table(tmp_path)


def test_arrays_that_are_no_images():
    with pytest.raises(DataError, match="of 1, 3 or 4 colours"):
        from_memory(np.zeros((20, 7, 7, 7)), LABELS[:20])
    with pytest.raises(DataError, match="expected numbers"):
        from_memory(np.full((20, 7, 7), "a"), LABELS[:20])
    with pytest.raises(DataError, match="X has 20 rows and y has 24"):
        from_memory(np.zeros((20, 7, 7)), LABELS)


def test_without_pillow_files_are_not_read_and_arrays_are(tmp_path, monkeypatch):
    folder = class_folders(tmp_path / "set", pixels())
    monkeypatch.setattr(decode, "find_spec", lambda name: None)
    with pytest.raises(SettingError, match=r"pip install 'modelshelf\[images\]'"):
        read_table(folder)
    same(from_memory(pixels(), LABELS)[0], pixels())
