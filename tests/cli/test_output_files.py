"""Files that are written: as a whole or not at all, and over nobody else's work."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from modelshelf.cli.table import write_table
from modelshelf.core import files
from modelshelf.core.errors import ShelfError
from modelshelf.insight.figures.theme import POLICY
from tests.cli.conftest import program, run
from tests.conftest import HOSTILE

ROWS = "\n".join(f"{i},{i % 7},{('=1+1', '-x', 'ja', chr(27) + '[31m')[i % 4]}" for i in range(60))
NUMBERS = "\n".join(f"{i},{i % 7},{i % 5 - 3.5}" for i in range(60))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A shelf with a network for labels that harm, and one for numbers: (folder, barcodes)."""
    folder = tmp_path_factory.mktemp("output")
    barcodes = []
    for name, rows in (("labels", ROWS), ("numbers", NUMBERS)):
        (folder / f"{name}.csv").write_text(f"a,b,t\n{rows}\n")
        ran = run("train", folder / f"{name}.csv", "--target", "t", "--set", "epochs=2", "--seed",
                  len(barcodes), "--shelf", folder / "s", "--json")  # fmt: skip
        assert ran.status == 0, ran.err
        barcodes.append(ran.json["copy"])
    return folder, barcodes


@pytest.fixture
def predict(trained, tmp_path):
    """Run `predict` on a copy of the rows: (the rows' path, what runs it)."""
    folder, barcodes = trained
    data = tmp_path / "rows.csv"
    data.write_bytes((folder / "labels.csv").read_bytes())

    def ran(*more: object, network: int = 0, **environment: str):
        return run("predict", barcodes[network], data, *more, "--shelf", folder / "s",
                   **environment)  # fmt: skip

    return data, ran


def whole(folder: Path) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in folder.iterdir()}


@pytest.mark.parametrize("kind", ["itself", "link", "hard link", "another spelling"])
@pytest.mark.parametrize("force", [(), ("--force",)])
def test_rows_that_are_read_are_never_replaced(kind, force, predict, tmp_path):
    data, ran = predict
    out = tmp_path / "out.csv"
    if kind == "link":
        out.symlink_to(data)
    elif kind == "hard link":
        out.hardlink_to(data)
    else:
        out = data if kind == "itself" else tmp_path / "." / ".." / tmp_path.name / "rows.csv"
    before = whole(tmp_path)
    refused = ran("--out", out, *force)
    assert (refused.status, "is the file that is read" in refused.err) == (2, True), refused.err
    assert whole(tmp_path) == before


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_another_file_is_replaced_by_force_alone_and_an_earlier_answer_freely(
    ending, predict, tmp_path
):
    _, ran = predict
    out = tmp_path / f"out.{ending}"
    out.write_text("my own work\n")
    refused = ran("--out", out)
    assert (refused.status, "--force" in refused.err) == (2, True)
    assert out.read_text() == "my own work\n"
    assert ran("--out", out, "--force").status == 0
    first = out.read_bytes()
    out.chmod(0o640)
    assert ran("--out", out).status == 0
    assert out.read_bytes() == first
    assert out.stat().st_mode & 0o777 == 0o640  # whoever may read it still may
    assert ran("--out", out, network=1).status == 2  # columns of another network
    assert out.read_bytes() == first
    assert [each.name for each in tmp_path.iterdir() if each.suffix == ".tmp"] == []


def test_a_link_is_what_it_leads_to(predict, tmp_path):
    _, ran = predict
    (tmp_path / "notes.csv").write_text("mine\n")
    (tmp_path / "out.csv").symlink_to("notes.csv")
    assert ran("--out", tmp_path / "out.csv").status == 2
    assert (tmp_path / "notes.csv").read_text() == "mine\n"
    assert ran("--out", tmp_path / "out.csv", "--force").status == 0
    assert (tmp_path / "out.csv").is_symlink()
    assert (tmp_path / "notes.csv").read_text().startswith("prediction,")


@pytest.mark.parametrize(
    ("out", "told"),
    [("/dev/full", "ends in .csv or .parquet"), ("/dev/stdout", "standard output"),
     ("full.csv", "device or a pipe"), ("pipe.csv", "device or a pipe"),
     ("folder.csv", "is a folder"), ("missing/out.csv", "there is no folder")],
)  # fmt: skip
def test_what_is_no_file_is_refused(out, told, predict, tmp_path):
    _, ran = predict
    (tmp_path / "full.csv").symlink_to("/dev/full")
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "folder.csv").mkdir()
    refused = ran("--out", tmp_path / out, "--force")
    assert (refused.status, told in refused.err) == (2, True), refused.err
    assert "Traceback" not in refused.err


FULL = """
import resource, sys
import polars as pl
from pathlib import Path
from modelshelf.cli.table import write_table
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
frame = pl.DataFrame({"prediction": [f"{i * 0.37}x" for i in range(90_000)]})
write_table(frame, Path(sys.argv[1]))
"""


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_full_disk_leaves_the_old_file_and_says_so(ending, tmp_path):
    out = tmp_path / f"out.{ending}"
    write_table(pl.DataFrame({"prediction": ["old"]}), out)
    before = whole(tmp_path)
    done = subprocess.run([sys.executable, "-c", FULL, str(out)], capture_output=True, text=True)
    assert done.returncode == 1
    assert "DataError" in done.stderr
    assert "cannot be written: File too large. What was there is as it was." in done.stderr
    assert whole(tmp_path) == before


def test_a_file_is_on_the_disk_before_it_has_its_name(monkeypatch, tmp_path):
    done = []
    monkeypatch.setattr(files.os, "fsync", lambda handle: done.append(
        "folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file"))  # fmt: skip
    real = Path.replace
    monkeypatch.setattr(Path, "replace", lambda *these: (done.append("named"), real(*these))[1])
    files.write_text(tmp_path / "a.md", "text")
    assert done == ["file", "named", "folder"]
    assert (tmp_path / "a.md").read_text() == "text"


def test_a_file_of_others_is_no_page_of_ours(searched, tmp_path):
    from modelshelf import report

    for ending in ("html", "md"):
        page = tmp_path / f"page.{ending}"
        page.write_text("<html><title>my page</title></html>")
        with pytest.raises(ShelfError, match="--force"):
            report(HOSTILE, page, searched)
        assert "my page" in page.read_text()
        report(HOSTILE, page, searched, force=True)
        report(HOSTILE, page, searched)  # it is one of ours now
        assert "my page" not in page.read_text()


def test_figures_and_drawings_follow_the_same_rule(searched, tmp_path):
    ran = run("shelf", "--shelf", searched, "--json").json
    barcode = ran["networks"][0]["barcode"]
    asked = {
        tmp_path / "figure.html": ("explain", "--figure"),
        tmp_path / "code.svg": ("show", barcode, "--svg"),
        tmp_path / "report.html": ("report", HOSTILE, "--out"),
    }
    for path, command in asked.items():
        path.write_text("mine")
        refused = run(*command, path, "--shelf", searched)
        assert (refused.status, "--force" in refused.err) == (2, True), refused.err
        assert path.read_text() == "mine"
        for force in (("--force",), ()):
            done = run(*command, path, "--shelf", searched, *force)
            assert done.status == 0, done.err
        assert path.read_text() != "mine"
    for name in ("figure.html", "report.html"):
        page = (tmp_path / name).read_text(encoding="utf-8")
        assert f'http-equiv="Content-Security-Policy" content="{POLICY}"' in page


def test_a_program_and_its_arrays_replace_no_others(searched, tmp_path):
    barcode = run("shelf", "--shelf", searched, "--json").json["networks"][0]["barcode"]
    asked = ("dissect", barcode, "--step", "numpy", "--out", tmp_path, "--shelf", searched)
    (tmp_path / "step.npz").write_bytes(b"mine")
    refused = run(*asked)
    assert (refused.status, "--force" in refused.err) == (2, True), refused.err
    assert whole(tmp_path) == {"step.npz": b"mine"}
    assert run(*asked, "--force").status == 0
    assert run(*asked).status == 0
    assert set(whole(tmp_path)) == {"step.npz", "step.py"}


def test_csv_that_a_spreadsheet_would_obey(predict, tmp_path):
    _, ran = predict
    raw = ran("--out", tmp_path / "raw.csv")
    safe = ran("--out", tmp_path / "safe.csv", "--safe-csv")
    assert (raw.status, safe.status) == (0, 0), raw.err + safe.err
    raw = pl.read_csv(tmp_path / "raw.csv")
    safe = pl.read_csv(tmp_path / "safe.csv")
    labels = raw["prediction"].to_list()
    assert set(labels) & {"=1+1", "-x"}
    assert safe["prediction"].to_list() == [
        f"'{each}" if each[0] in "=+-@" else each for each in labels
    ]
    assert safe.columns == raw.columns
    assert safe.drop("prediction").equals(raw.drop("prediction"))


def test_numbers_are_no_formulas(trained, tmp_path):
    folder, barcodes = trained
    asked = ("predict", barcodes[1], folder / "numbers.csv", "--shelf", folder / "s")
    plain = run(*asked)
    assert ",-" in plain.out or "\n-" in plain.out
    assert run(*asked, "--safe-csv").out == plain.out


def test_a_terminal_is_not_steered_by_labels_and_a_pipe_is_given_their_bytes(trained, tmp_path):
    folder, barcodes = trained
    few = tmp_path / "few.csv"
    few.write_text("".join((folder / "labels.csv").read_text().splitlines(keepends=True)[:12]))
    asked = ("predict", barcodes[0], few, "--shelf", folder / "s")
    piped = run(*asked).out
    assert "probability_\x1b[31m" in piped
    reader, writer = os.openpty()
    subprocess.run(program(*asked), stdout=writer, check=True, timeout=60)
    os.close(writer)
    shown = os.read(reader, 100_000).decode().replace("\r\n", "\n")
    os.close(reader)
    assert shown == piped.replace("\x1b", "�")
