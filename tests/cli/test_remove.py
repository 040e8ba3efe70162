"""Studies and networks are removed, and lost ones repaired, as a person types it."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
from pathlib import Path

import pytest

from modelshelf import Shelf
from tests.cli.conftest import program, run


@pytest.fixture
def copied(searched, tmp_path) -> Path:
    """A copy of the shelf with one small study, to be spoilt."""
    return Path(shutil.copytree(searched, tmp_path / "shelf"))


def answered(answer: str, *arguments: object) -> tuple[int, str]:
    """What the program says on a terminal where a person types this."""
    here, there = pty.openpty()
    ran = subprocess.Popen(
        program(*arguments),
        stdin=there,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    os.write(here, f"{answer}\n".encode())
    out, _ = ran.communicate(timeout=60)
    os.close(here)
    os.close(there)
    return ran.returncode, out


def test_a_study_is_removed_once_a_person_says_so(copied):
    with Shelf.open(copied) as shelf:
        (study,) = shelf.studies()
        size = sum(path.stat().st_size for path in copied.rglob("*.safetensors"))
        networks = len(shelf.files(study.name))
    where = "--shelf", copied
    refused = run("remove", study.name, *where)
    assert refused.status == 2
    assert "Nothing was removed: there is no one to ask. Say --yes." in refused.err
    status, out = answered("n", "remove", study.name[:4], *where)
    assert status == 1
    assert f"{networks} networks (" in out
    assert f"{size / 2**20:,.1f} MiB" in out
    assert "Nothing was removed." in out
    assert len(list(copied.rglob("*.safetensors"))) > networks
    status, out = answered("y", "remove", study.name, *where)
    assert status == 0, out
    assert not list(copied.rglob("*.safetensors"))
    left = run("shelf", "--json", *where)
    assert left.json["studies"] == []
    assert run("shelf", "--check", *where).status == 0


def test_one_network_is_removed_and_what_needs_it_says_so(copied, searched):
    with Shelf.open(copied) as shelf:
        result = shelf.studies()[0].result
        copy, barcode = (result["winner"][each] for each in ("copy", "barcode"))
        copies = len(shelf.resolve(barcode))
    where = "--shelf", copied
    ran = run("remove", copy, "--yes", "--json", *where)
    assert ran.status == 0, ran.err
    removed = ran.json["removed"]
    assert (removed["whole"], removed["winner"], len(removed["trials"])) == (False, True, 1)
    assert "The network that the study recommends is among them" in ran.err
    data = searched.parent / "table.csv"
    gone = run("predict", copy, data, *where)
    assert gone.status == 2
    assert "it was removed" in gone.err
    assert copies > 1
    assert run("predict", barcode, data, *where).status == 0  # another network of the same barcode
    for command in ("show", "diagnose"):
        ran = run(command, copy, *where)
        assert "Traceback" not in ran.err
    assert run("shelf", "--check", *where).status == 0
    rest = run("remove", barcode, "--yes", "--json", *where).json["removed"]
    assert len(rest["trials"]) == copies - 1


def test_check_ends_with_1_whatever_is_wrong_and_repair_tells_what_it_did(copied):
    where = "--shelf", copied
    files = sorted((copied / "networks" / "1").iterdir())
    for each in files:
        each.write_bytes(b"")
    lost = run("shelf", "--check", *where)
    assert lost.status == 1
    assert len(lost.out.splitlines()) == 4
    assert f"And {len(files) - 3} more problems like these: --json lists all." in lost.out
    assert len(run("shelf", "--check", "--json", *where).json["problems"]) == len(files)
    assert run("shelf", "--repair", *where).status == 2
    mended = run("shelf", "--check", "--repair", "--json", *where)
    assert mended.status == 1
    assert "The same command that began the study trains them again" in mended.json["repaired"][0]
    assert not list((copied / "networks" / "1").iterdir())
    whole = (copied / "shelf.sqlite").read_bytes()
    for broken in (b"", b"no database", whole[:100], whole[:5000] + b"\xff" * 9000 + whole[14000:]):
        (copied / "shelf.sqlite").write_bytes(broken)
        for arguments in (("--check",), ("--check", "--repair"), ("--check", "--json")):
            ran = run("shelf", *arguments, *where)
            assert ran.status == 1, ran.err
            assert "Traceback" not in ran.err
    assert run("shelf", "--check", "--shelf", copied / "nowhere").status == 2
