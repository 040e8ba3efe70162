"""Images at the command line, in a process of its own."""

from __future__ import annotations

import csv
import io

import pytest
from PIL import Image

from tests.cli.conftest import run
from tests.study.test_images import images


@pytest.fixture
def folders(tmp_path):
    """Class folders, and a folder of images without labels, larger ones, one of them broken."""
    for i, (image, label) in enumerate(zip(*images(), strict=True)):
        part = tmp_path / ("new" if i < 12 else f"set/{label}")
        part.mkdir(parents=True, exist_ok=True)
        drawn = Image.fromarray(image)
        drawn = drawn.resize((20, 20)).convert("RGB") if i < 12 else drawn
        drawn.save(part / f"{i:03}{label if i < 12 else ''}.png")
    (tmp_path / "new" / "000a.png").write_bytes(b"no image")
    return tmp_path


def test_a_folder_is_learned_from_and_another_answered(folders):
    cache = {"XDG_CACHE_HOME": str(folders / "cache")}
    settings = ("network=conv", "conv_width=8", "epochs=12", "learning_rate=0.01", "patience=0")
    asked = [word for each in settings for word in ("--set", each)]
    ran = run("train", "set", *asked, "--shelf", "shelf", "--json", cwd=folders, **cache)
    assert ran.status == 0, ran.err
    assert ran.json["configuration"]["network"] == "conv"
    answered = run("predict", ran.json["barcode"], "new", "--shelf", "shelf", cwd=folders, **cache)
    assert answered.status == 0, answered.err
    assert "images left out: 000a.png is no image" in answered.err
    rows = list(csv.DictReader(io.StringIO(answered.out)))
    assert len(rows) == 12
    assert sum(row["prediction"] in row["file"] for row in rows) > 9


def test_images_without_labels_are_nothing_to_learn_from(folders):
    ran = run("tune", "new", "--shelf", "shelf", cwd=folders, XDG_CACHE_HOME=str(folders))
    assert (ran.status, "no labels" in ran.err) == (2, True)
