"""The rows that commands are given: a sample of them, from a pipe, or none at all."""

from __future__ import annotations

import subprocess

import pytest

from modelshelf.shelf import Shelf
from tests.cli.conftest import program


def ran(*arguments: object, given: bytes = b"") -> tuple[int, str]:
    done = subprocess.run(program(*arguments), input=given, capture_output=True, timeout=120)
    return done.returncode, " ".join((done.stdout + done.stderr).decode().split())


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("rows") / "t.csv"
    lines = [f"{i * 7919 % 97},{i % 5},{'ab'[i * i % 7 % 2]}" for i in range(400)]
    path.write_text("x,z,y\n" + "\n".join(lines) + "\n")
    return path


QUICK = ("--set", "epochs=2", "--set", "hidden_layers=4")


def test_a_network_of_a_sample_finds_its_rows_again(whole, tmp_path):
    shelf = tmp_path / "shelf"
    common = ("--target", "y", "--shelf", shelf)
    status, told = ran("train", whole, *common, "--rows", 100, "--seed", 3, *QUICK)
    assert status == 0, told
    assert "100 of 400 rows were sampled, at random by the seed 3" in told
    with Shelf.open(shelf) as opened:
        (study,) = opened.studies()
        assert study.settings["rows"]["source"] == f"sample:100:3:{whole}"
        (trial,) = opened.trials(study.name)
    for given in ((), ("--data", whole)):
        status, told = ran("dissect", trial.barcode, "--shelf", shelf, *given)
        assert status == 0, told
        assert "20 validation rows" in told
    status, told = ran("train", whole, *common, "--rows", 100, "--seed", 3, *QUICK)
    assert "on the shelf already" in told
    assert ran("train", whole, *common, "--seed", 3, *QUICK)[0] == 0
    with Shelf.open(shelf) as opened:
        assert len({each.fingerprint for each in opened.studies()}) == 2


def test_a_network_of_a_pipe_says_that_its_rows_cannot_be_read_again(whole, tmp_path):
    shelf = tmp_path / "shelf"
    status, told = ran(
        "train", "-", "--target", "y", "--shelf", shelf, *QUICK, given=whole.read_bytes()
    )
    assert status == 0, told
    with Shelf.open(shelf) as opened:
        (study,) = opened.studies()
        (trial,) = opened.trials(study.name)
    status, told = ran("dissect", trial.barcode, "--shelf", shelf)
    assert status == 2
    assert "never was told where its rows can be read again" in told
    assert "--data FILE" in told
    assert ran("dissect", trial.barcode, "--shelf", shelf, "--data", whole)[0] == 0
    status, told = ran("predict", trial.barcode, "-", "--shelf", shelf, given=whole.read_bytes())
    assert (status, len(told.split())) == (0, 401)
    status, told = ran("predict", trial.barcode, "-", "--shelf", shelf, given=b"x,z\n")
    assert "has a header and no rows below it" in told
    assert "10 rows" not in told
