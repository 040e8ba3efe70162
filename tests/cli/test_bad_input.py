"""Bad input: one clear message, status 2, no traceback, and a shelf that is as it was."""

from __future__ import annotations

import sys

import numpy as np
import polars as pl
import pytest

from modelshelf import Shelf
from modelshelf.cli import app
from tests.study.conftest import QUICK, make_table


@pytest.fixture
def typed(capsys, monkeypatch):
    """Run the program in this process: (status, standard output, standard error)."""

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["modelshelf", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            app.main()
        told = capsys.readouterr()
        return int(ended.value.code or 0), told.out, told.err

    return run


def text(path, content: str | bytes):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def rows(count: int, make) -> str:
    return "".join(make(i) + "\n" for i in range(count))


GOOD = "a,b,y\n" + rows(60, lambda i: f"{i * 37 % 101},{(i * i) % 13},{'u' if i % 3 else 'v'}")

#: name: (content of the table, arguments after it, what the message says)
TABLES = {
    "empty": ("", (), "is empty"),
    "blank": ("\n\n  \n", (), "is empty"),
    "header only": ("a,b,y\n", (), "header and no rows"),
    "binary": (bytes(range(256)) * 40, (), "binary"),
    "noise": (bytes((i * 7919 + 13) % 255 + 1 for i in range(5000)), (), "not text"),
    "target absent": (GOOD.replace("y\n", "label\n", 1), ("--target", "lable"),
                      "did you mean 'label'"),
    "target constant": (GOOD.replace("u\n", "v\n"), (), "always 'v'"),
    "target missing": (GOOD.replace("u\n", "\n").replace("v\n", "\n"), (), "is missing"),
    "class of one": (GOOD + "1,2,w\n", (), "single row"),
    "same names": (GOOD.replace("a,b,", "a,a,", 1), (), "same name"),
    "nothing usable": ("a,b,y\n" + rows(60, lambda i: f"1,x{i}x,{i % 2}"), (), "constant"),
    "infinity": (GOOD.replace("\n0,", "\ninf,", 1), (), "infinite"),
    "too few fields": (GOOD + "1,2\n", (), "line 62: expected 3 fields"),
    "too many fields": (GOOD + "1,2,v,4\n", (), "line 62: expected 3 fields"),
    "two rows": ("a,b,y\n1,2,u\n3,4,v\n", (), "at least 10"),
    "wide": (",".join(f"c{i}" for i in range(40)) + ",y\n"
             + rows(12, lambda i: ",".join(str((i * 7919 + k * 104729 + i * i * k) % 1009 / 7)
                                          for k in range(40)) + f",{i % 2}"), (), "--allow-wide"),
    "unknown metric": (GOOD, ("--metric", "acc"), "no metric 'acc'"),
    "metric of another task": (GOOD, ("--metric", "rmse"), "does not fit"),
    "unknown task": (GOOD, ("--task", "clasification"), "no task"),
    "regression on words": (GOOD, ("--task", "regression"), "holds words"),
    "zero time": (GOOD, ("--time", "0"), "above 0"),
    "negative time": (GOOD, ("--time=-3s",), "not a time"),
    "no time": (GOOD, ("--time", "soon"), "not a time"),
    "zero trials": (GOOD, ("--trials", "0"), "above 0"),
    "negative trials": (GOOD, ("--trials", "-1"), "above 0"),
    "trials that are no number": (GOOD, ("--trials", "many"), "valid integer"),
    "both budgets": (GOOD, ("--trials", "3", "--time", "3s"), "not both"),
    "zero workers": (GOOD, ("--workers", "0"), "from 1"),
    "one fold": (GOOD, ("--folds", "1"), "from 2"),
    "test too large": (GOOD, ("--test", "1.2"), "up to 0.9"),
    "test file missing": (GOOD, ("--test", "nowhere.csv"), "no file"),
    "column unknown": (GOOD, ("--column", "aa=numeric"), "no column 'aa'"),
    "column kind unknown": (GOOD, ("--column", "a=number"), "expected one of"),
    "column without kind": (GOOD, ("--column", "a"), "NAME=numeric"),
    "column is the target": (GOOD, ("--column", "y=numeric"), "is the target"),
    "space missing": (GOOD, ("--space", "nowhere.toml"), "cannot be read"),
    "negative seed": (GOOD, ("--seed", "-1"), "0 or more"),
}  # fmt: skip


@pytest.mark.parametrize("case", TABLES)
def test_a_table_or_option_that_cannot_be_used(case, typed, tmp_path):
    content, more, told = TABLES[case]
    path = text(tmp_path / "table.csv", content)
    target = () if "--target" in more else ("--target", "y")
    budget = () if {"--time", "--trials"} & set(more) or "--time=-3s" in more else ("--trials", 2)
    status, out, err = typed("tune", path, *target, *budget, *more, "--shelf", tmp_path / "shelf")
    assert status == 2
    assert told in err
    assert "Traceback" not in err + out
    assert not (tmp_path / "shelf").exists()


def test_a_missing_file_and_a_folder(typed, tmp_path):
    text(tmp_path / "table.csv", GOOD)
    status, _, err = typed("tune", tmp_path / "tabel.csv", "--target", "y")
    assert (status, "did you mean" in err) == (2, True)
    status, _, err = typed("tune", tmp_path, "--target", "y")
    assert (status, "is a folder" in err) == (2, True)
    status, _, err = typed("tune")
    assert (status, "--example digits" in err) == (2, True)
    status, _, err = typed("tune", tmp_path / "table.csv")
    assert (status, "a, b, y" in err) == (2, True)
    status, _, err = typed("tune", "--example", "digit")
    assert (status, "did you mean 'digits'" in err) == (2, True)
    status, _, err = typed("tume")
    assert status == 2


@pytest.fixture(scope="module")
def shelved(tmp_path_factory):
    from modelshelf import tune

    where = tmp_path_factory.mktemp("bad") / "shelf"
    table = make_table().drop("amount")
    result = tune(table, target="label", trials=4, space=QUICK, shelf=where, study="mine")
    return result, where


def content_of(where):
    return {p: p.read_bytes() for p in sorted(where.rglob("*")) if p.is_file()
            and p.suffix in (".sqlite", ".safetensors")}  # fmt: skip


def test_barcodes_that_match_nothing_or_several(shelved, typed, tmp_path):
    _, where = shelved
    with Shelf.open(where) as shelf:
        first = {t.barcode[0] for t in shelf.trials()}
    free = next(c for c in "0123456789ABCDEFGHJKMNPQRSTVWXYZ" if c not in first)
    before = content_of(where)
    for wrong, told in ((free * 8, "names no network"), ("not a barcode!", "is not a barcode")):
        for command in (("show", wrong), ("predict", wrong, text(tmp_path / "t.csv", GOOD))):
            status, _, err = typed(*command, "--shelf", where)
            assert (status, told in err) == (2, True), err
    assert content_of(where) == before


def test_an_ambiguous_barcode_names_the_candidates(typed, tmp_path):
    from modelshelf import tune

    tune(make_table().drop("amount"), target="label", trials=40, space={**QUICK, "epochs": 3},
         shelf=tmp_path / "s")  # fmt: skip
    with Shelf.open(tmp_path / "s") as shelf:
        letters = [t.barcode[0] for t in shelf.trials()]
        several = max(set(letters), key=lambda c: len({
            t.barcode for t in shelf.trials() if t.barcode[0] == c}))  # fmt: skip
    status, _, err = typed("show", several, "--shelf", tmp_path / "s")
    assert status == 2
    assert err.count(several) >= 2


def test_rows_to_predict_that_do_not_fit(shelved, typed, tmp_path):
    result, where = shelved
    table = make_table().drop("amount", "label")
    table.drop("a").write_csv(tmp_path / "lacks.csv")
    status, _, err = typed("predict", result.winner.barcode, tmp_path / "lacks.csv",
                           "--shelf", where)  # fmt: skip
    assert (status, "lacks" in err, "'a'" in err) == (2, True, True)
    table.with_columns(pl.lit(np.inf).alias("a")).write_csv(tmp_path / "inf.csv")
    status, _, err = typed("predict", result.winner.barcode, tmp_path / "inf.csv",
                           "--shelf", where)  # fmt: skip
    assert (status, "infinite" in err) == (2, True)
    table.write_csv(tmp_path / "good.csv")
    for out, told in (("x.txt", ".csv or .parquet"), ("no/such/folder/x.csv", "cannot be written")):
        status, _, err = typed("predict", result.winner.barcode, tmp_path / "good.csv",
                               "--shelf", where, "--out", tmp_path / out)  # fmt: skip
        assert (status, told in err) == (2, True)


def test_a_test_file_that_lacks_a_column_or_has_a_new_class(typed, tmp_path):
    path = text(tmp_path / "table.csv", GOOD)
    lacks = text(tmp_path / "lacks.csv", "a,y\n1,u\n2,v\n")
    new = text(tmp_path / "new.csv", "a,b,y\n1,2,u\n2,3,w\n")
    for file, told in ((lacks, "lacks"), (new, "classes that the training rows have not")):
        status, _, err = typed("tune", path, "--target", "y", "--trials", 2, "--test", file,
                               "--shelf", tmp_path / "shelf")  # fmt: skip
        assert (status, told in err) == (2, True), err
    assert not (tmp_path / "shelf").exists()


def test_shelves_that_are_none(typed, tmp_path):
    status, _, err = typed("shelf", "--shelf", tmp_path / "nowhere")
    assert (status, "tune --example digits" in err) == (2, True)
    assert not (tmp_path / "nowhere").exists()
    file = text(tmp_path / "file", "hello")
    folder = tmp_path / "folder"
    folder.mkdir()
    text(folder / "letter.txt", "dear")
    table = text(tmp_path / "table.csv", GOOD)
    for place in (file, folder):
        for command in (("shelf",), ("tune", table, "--target", "y", "--trials", 2)):
            status, _, err = typed(*command, "--shelf", place)
            assert status == 2, err
            assert str(place) in err
    assert file.read_text() == "hello"
    assert [p.name for p in folder.iterdir()] == ["letter.txt"]


def test_a_study_of_that_name_and_other_data(shelved, typed, tmp_path):
    _, where = shelved
    before = content_of(where)
    status, _, err = typed("tune", text(tmp_path / "table.csv", GOOD), "--target", "y",
                           "--trials", 2, "--study", "mine", "--shelf", where)  # fmt: skip
    assert (status, "other data" in err) == (2, True)
    assert content_of(where) == before
