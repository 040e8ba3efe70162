"""Reading: whatever a table comes in, the same table comes out."""

from __future__ import annotations

import gzip
import io

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from modelshelf.core.errors import DataError
from modelshelf.data.read import bundled, from_memory, read_table
from modelshelf.data.understand import understand

ROWS = 24
NAMES = ["größe", "city", "day", "y"]


def plain() -> pl.DataFrame:
    rng = np.random.default_rng(0)
    size = [None if i % 7 == 3 else round(float(v), 4) for i, v in enumerate(rng.normal(size=ROWS))]
    return pl.DataFrame(
        {
            "größe": size,
            "city": [["Zürich", "São Paulo", "Köln"][i % 3] for i in range(ROWS)],
            "day": [f"2024-{i % 12 + 1:02}-{i % 28 + 1:02}" for i in range(ROWS)],
            "y": [["no", "yes"][(i * i) % 5 % 2] for i in range(ROWS)],
        }
    )


def delimited(delimiter: str = ",", comma: bool = False) -> str:
    lines = [delimiter.join(NAMES)]
    for size, *rest in plain().iter_rows():
        told = "" if size is None else f"{size}".replace(".", "," if comma else ".")
        lines.append(delimiter.join([told, *rest]))
    return "\n".join(lines) + "\n"


def fingerprint(frame) -> str:
    return understand(frame, "y").fingerprint


@pytest.fixture(scope="module")
def expected() -> str:
    return fingerprint(from_memory(plain(), target="y")[0])


FORMS = {
    "utf-8": delimited().encode(),
    "utf-8 with a mark": delimited().encode("utf-8-sig"),
    "utf-16": delimited().encode("utf-16"),
    "utf-16 big-endian": b"\xfe\xff" + delimited().encode("utf-16-be"),
    "utf-32": delimited().encode("utf-32"),
    "windows-1252": delimited().encode("cp1252"),
    "dos lines": delimited().replace("\n", "\r\n").encode(),
    "old mac lines": delimited().replace("\n", "\r").encode(),
    "no last newline": delimited().rstrip("\n").encode(),
    "blank lines": delimited().replace("\n", "\n\n").encode() + b"\n \n",
    "semicolons": delimited(";").encode(),
    "semicolons and decimal commas": delimited(";", comma=True).encode(),
    "tabs": delimited("\t").encode(),
    "bars": delimited("|").encode(),
    "quotes": '"größe"'.join(delimited().split("größe")).replace("Köln", '"Köln"').encode(),
    "spaces": delimited(", ").encode(),
    "gzip": gzip.compress(delimited().encode()),
}


@pytest.mark.parametrize("form", FORMS)
def test_delimited_text_reads_the_same_in_every_form(form, tmp_path, expected):
    path = tmp_path / "table.csv"
    path.write_bytes(FORMS[form])
    table = read_table(path)
    assert table.frame.columns == NAMES
    assert table.frame["city"].to_list() == plain()["city"].to_list()
    assert fingerprint(table) == expected


@pytest.mark.parametrize("marker", ["NA", "N/A", "nan", "NULL", "?", "-", " ", "None"])
def test_what_stands_for_a_missing_value(marker, tmp_path, expected):
    lines = [marker + line if line.startswith(",") else line for line in delimited().split("\n")]
    path = tmp_path / "table.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    assert fingerprint(read_table(path)) == expected


def test_quoted_fields_hold_delimiters_quotes_and_lines(tmp_path):
    hard = ["a,b", 'say "hi"', "two\nlines", "plain"] * 5
    frame = pl.DataFrame({"x": list(range(20)), "text": hard})
    frame.write_csv(tmp_path / "table.csv")
    assert read_table(tmp_path / "table.csv").frame["text"].to_list() == hard


def test_a_comma_in_text_of_a_semicolon_file_stays(tmp_path):
    (tmp_path / "t.csv").write_text("a;b\n1,5;x,y\n2;z\n")
    assert read_table(tmp_path / "t.csv").frame.to_dict(as_series=False) == {
        "a": ["1.5", "2"],
        "b": ["x,y", "z"],
    }


def test_one_column_and_empty_names(tmp_path):
    (tmp_path / "t.csv").write_text("a\n1\n2\n")
    assert read_table(tmp_path / "t.csv").frame.to_dict(as_series=False) == {"a": ["1", "2"]}
    (tmp_path / "u.csv").write_text(",a\n1,2\n3,4\n")  # as pandas writes its index
    assert read_table(tmp_path / "u.csv").frame.columns == ["column_1", "a"]


def test_parquet_and_arrow_with_dates_and_categories(tmp_path, expected):
    typed = plain().with_columns(
        pl.col("day").str.to_date(), pl.col("city").cast(pl.Categorical)
    )  # fmt: skip
    typed.write_parquet(tmp_path / "t.parquet")
    typed.write_ipc(tmp_path / "t.arrow")
    typed.write_ipc_stream(tmp_path / "t.feather")
    typed.write_parquet(tmp_path / "no ending")
    for path in sorted(tmp_path.iterdir()):
        table = read_table(path)
        assert table.frame["day"].dtype == pl.Date
        assert fingerprint(table) == expected, path.name


def test_frames_of_every_library(expected):
    pandas = pd.DataFrame(plain().to_dict(as_series=False))
    frames = {
        "polars": plain(),
        "pandas": pandas,
        "pandas categories": pandas.astype({"city": "category", "y": "category"}),
        "pyarrow": pa.table(plain().to_dict(as_series=False)),
        "dictionary": plain().to_dict(as_series=False),
        "polars lazily shuffled back": plain()[::-1][::-1],
    }
    for name, frame in frames.items():
        assert fingerprint(from_memory(frame, target="y")[0]) == expected, name
    table, target = from_memory(pandas.drop(columns="y"), pandas["y"])
    assert (target, fingerprint(table)) == ("y", expected)


def test_arrays_and_lists():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(30, 3)), rng.integers(0, 2, 30)
    prints = {understand(*from_memory(a, b)).fingerprint for a, b in (
        (x, y), (x.tolist(), y.tolist()), (x, y[:, None]), (np.asfortranarray(x), y.astype(object)),
    )}  # fmt: skip
    assert len(prints) == 1
    images, _ = from_memory(rng.normal(size=(30, 2)), list("ab" * 15))
    assert images.frame.columns == ["x0", "x1", "target"]
    with pytest.raises(DataError, match="X has 30 rows and y has 29"):
        from_memory(x, y[:-1])
    with pytest.raises(DataError, match="shape"):
        from_memory(np.zeros(3))
    with pytest.raises(DataError, match="same name"):
        from_memory(pd.DataFrame(x, columns=["a", "a", "b"]), y)


ARFF = """% a comment
@RELATION 'a relation'
@ATTRIBUTE 'first size' NUMERIC
@attribute kind {'big one', small}
@attribute "a note" string
@attribute y {u,v}
@DATA
"""


def test_arff(tmp_path):
    rows = "".join(
        f"{i},{['small', repr('big one')][i % 2]},'it\\'s {i}',{'uv'[i % 2]}\n" for i in range(12)
    )
    path = tmp_path / "t.arff"
    path.write_text(ARFF + rows + "% the end\n?,small,'?',u\n")
    frame = read_table(path).frame
    assert frame.columns == ["first size", "kind", "a note", "y"]
    assert frame.row(1) == ("1", "big one", "it's 1", "v")
    assert frame.row(12) == (None, "small", None, "u")
    for wrong, told in (
        (ARFF + "{0 1, 3 u}\n", "sparse"),
        (ARFF + "1,small,x\n", "line 8: expected 4 fields"),
        (ARFF, "no rows"),
        (ARFF.replace("@DATA", ""), "no @data"),
        (ARFF.replace("@attribute kind {'big one', small}", "@attribute"), "line 4"),
    ):
        path.write_text(wrong)
        with pytest.raises(DataError, match=told):
            read_table(path)


def test_npz(tmp_path):
    rng = np.random.default_rng(0)
    path = tmp_path / "t.npz"
    np.savez(path, X=rng.normal(size=(12, 4)), y=np.array(list("uv" * 6)))
    assert read_table(path).frame.columns == ["x0", "x1", "x2", "x3", "y"]
    np.savez(path, X=rng.normal(size=(12, 2)), y=np.arange(11))
    with pytest.raises(DataError, match=r"one length, and found X 12, y 11"):
        read_table(path)
    np.savez(path, y=np.array([{}] * 3, dtype=object), allow_pickle=True)
    with pytest.raises(DataError, match="cannot be read as npz"):
        read_table(path)


@pytest.mark.parametrize("ending", ["parquet", "arrow", "npz"])
def test_a_cut_binary_file_is_refused_in_words(ending, tmp_path):
    whole = io.BytesIO()
    if ending == "npz":
        np.savez(whole, X=np.zeros((30, 3)))
    else:
        getattr(plain(), {"parquet": "write_parquet", "arrow": "write_ipc"}[ending])(whole)
    path = tmp_path / f"t.{ending}"
    path.write_bytes(whole.getvalue()[:-40])
    with pytest.raises(DataError, match="cannot be read as"):
        read_table(path)


@pytest.mark.parametrize(
    ("name", "rows", "inputs", "task"),
    [
        ("digits", 1797, 61, "multiclass"),  # three pixels are always white
        ("breast_cancer", 569, 30, "binary"),
        ("wine", 178, 13, "multiclass"),
        ("iris", 150, 4, "multiclass"),
        ("diabetes", 442, 10, "regression"),
    ],
)
def test_the_bundled_sets(name, rows, inputs, task):
    dataset = understand(*bundled(name))
    assert (dataset.rows, len(dataset.schema.inputs), dataset.schema.task) == (rows, inputs, task)


def test_a_file_called_train_is_told_by_its_folder(tmp_path):
    folder = tmp_path / "adult"
    folder.mkdir()
    (folder / "train.csv").write_text("a,b\n1,2\n")
    assert read_table(folder / "train.csv").name == "adult/train.csv"
