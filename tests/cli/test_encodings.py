"""Whatever encoding output has, it is written; whatever is written to a file is UTF-8."""

from __future__ import annotations

import subprocess

import pytest

from tests.cli.conftest import program, run

#: The last: nothing but ASCII, and no help from Python.
ENCODINGS = {
    name: {"PYTHONIOENCODING": name} for name in ("latin-1", "ascii", "cp1252", "utf-16")
} | {"C": {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}}
TUNE = ("--target", "größe", "--trials", 5, "--folds", 2, "--study", "größe → 名")


@pytest.fixture(scope="module")
def tuned(space_file, tmp_path_factory):
    """A folder with rows and a shelf, and barcodes of two of its networks."""
    folder = tmp_path_factory.mktemp("encodings")
    rows = "\n".join(f"{i},{i % 7},{('ja×', '名', 'nö')[i % 3]}" for i in range(90))
    (folder / "t.csv").write_text(f"länge,b,größe\n{rows}\n", encoding="utf-8")
    ran = run("tune", folder / "t.csv", *TUNE, "--space", space_file, "--shelf", folder / "s")
    assert ran.status == 0, ran.err
    listed = run("shelf", "--shelf", folder / "s", "--json").json
    return folder, list(dict.fromkeys(each["barcode"] for each in listed["networks"]))[:2]


def asked(folder, barcodes, space_file):
    first, second = barcodes
    yield ("tune", folder / "t.csv", *TUNE, "--space", space_file)
    yield ("shelf",)
    yield ("show", first)
    yield ("predict", first, folder / "t.csv")
    yield ("explain",)
    yield ("compare", first, second)
    yield ("dissect", first)
    yield ("diagnose", first)
    yield ("worth", "größe", "--time", "3s")
    yield ("report", "größe", "--out", folder / "r.md")
    yield ("show", "no such thing → 名")


_RARE = [pytest.mark.slow]  # what the others show too


@pytest.mark.parametrize(
    "name", ["cp1252", "C", *(pytest.param(n, marks=_RARE) for n in ("latin-1", "ascii", "utf-16"))]
)
def test_every_command_can_be_read(name, tuned, space_file):
    folder, barcodes = tuned
    encoding = ENCODINGS[name].get("PYTHONIOENCODING", "ascii")
    for command in asked(folder, barcodes, space_file):
        ran = run(*command, "--shelf", folder / "s", encoding=None, **ENCODINGS[name])
        assert ran.status == (2 if "no such thing → 名" in command else 0), (command, ran.err)
        err = ran.err.decode(encoding)
        out = ran.out.decode("utf-8" if command[0] == "predict" else encoding)
        assert "Traceback" not in out + err
        assert "Unicode" not in out + err
        if command[0] == "predict":
            assert out.splitlines()[0] == "prediction,probability_ja×,probability_nö,probability_名"
        elif command[0] == "tune":
            assert "Winner  " in out
            assert barcodes[0][:4] in out or "validation" in out
    page = (folder / "r.md").read_bytes().decode("utf-8")
    assert "größe → 名" in page


@pytest.mark.parametrize("name", ENCODINGS)
def test_what_hangs_on_no_shelf_can_be_read(name):
    encoding = ENCODINGS[name].get("PYTHONIOENCODING", "ascii")
    for command in (("--help",), ("hyperparameters",), ("hyperparameters", "dropout"),
                    ("tokenise", "Zürich → 3 ± 1 名")):  # fmt: skip
        ran = run(*command, encoding=None, **ENCODINGS[name])
        assert (ran.status, ran.err.decode(encoding)) == (0, ""), command
        assert ran.out.decode(encoding)


def test_a_name_that_is_no_text_is_said_and_no_shelf_is_blamed(tuned):
    folder, _ = tuned
    ran = run("report", b"gr\xff", "--shelf", folder / "s")
    assert ran.status == 2
    assert "is no text: expected UTF-8" in ran.err
    assert "damaged" not in ran.err


@pytest.mark.parametrize("closed", ["1", "2", "1 and 2"])
def test_a_closed_stream_is_written_to_in_vain(closed, tuned):
    folder, barcodes = tuned
    for command in (("shelf",), ("shelf", "--json"), ("predict", barcodes[0], folder / "t.csv"),
                    ("show", "nothing")):  # fmt: skip
        # In a process of its own: Python looks at its streams when it starts.
        shell = f'exec {closed.replace(" and ", ">&- ")}>&-; exec "$@"'
        done = subprocess.run(
            ["sh", "-c", shell, "sh", *program(*command, "--shelf", folder / "s")],
            capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == (2 if command[0] == "show" else 0), done.stderr
        assert "Traceback" not in done.stderr
