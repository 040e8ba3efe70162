"""`compare` and `worth` as a person types them, in a process of their own."""

from __future__ import annotations

import pytest

from modelshelf import Shelf
from modelshelf.core.records import Purpose
from tests.cli.conftest import run


@pytest.fixture(scope="module")
def tuned(csv, space_file, tmp_path_factory):
    where = tmp_path_factory.mktemp("cli") / "shelf"
    ran = run("tune", csv, "--target", "label", "--trials", 8, "--folds", 2, "--space", space_file,
              "--shelf", where, "--json")  # fmt: skip
    assert ran.status == 0, ran.err
    with Shelf.open(where) as shelf:
        search = [t for t in shelf.trials(purpose=Purpose.SEARCH) if t.best_epoch]
    return ran.json, where, search


def test_compare_shows_what_differs_scores_curves_and_rows(tuned, tmp_path):
    _, where, search = tuned
    drawn = tmp_path / "out.html"
    two = (search[0].barcode[:9], search[-1].barcode)
    ran = run("compare", *two, "--shelf", where, "--figure", drawn)
    assert ran.status == 0, ran.err
    assert "hidden_layers" in ran.out
    assert "more settings are the same in all" in ran.out
    assert "validation rows that trained none of these networks" in ran.out
    assert "A and B answer" in ran.out
    assert "Where they differ most" in ran.out
    assert " of table.csv, truly " in ran.out
    assert "epoch 1" in ran.out
    page = drawn.read_text(encoding="utf-8")
    assert search[0].barcode[:9] in page
    assert 'src="http' not in page
    everything = run("compare", *two, "--shelf", where, "--all")
    assert "batch_size" in everything.out
    assert "are the same in all" not in everything.out


def test_compare_json_holds_the_record(tuned):
    _, where, search = tuned
    ran = run("compare", search[0].copy, search[1].copy, "--shelf", where, "--json")
    assert ran.status == 0, ran.err
    told = ran.json
    assert len(ran.out.splitlines()) == 1
    assert [each["copy"] for each in told["networks"]] == [search[0].copy, search[1].copy]
    assert told["networks"][1]["scored"]["difference"]["level"] == 0.95
    assert told["rows"] == "validation"
    assert search[0].barcode in ran.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("compare", "ZZZZ-ZZZZ", "YYYY-YYYY"), "names no network"),
        (("compare", "{first}"), "from 2 to 8"),
        (("compare", "{first}", "{study}"), "An ensemble has no barcode"),
        (("compare", "{first}", "{second}", "--rows", "all"), "validation"),
        (("compare", "{first}", "{second}", "--figure", "x.png"), "ends in .html"),
        (("worth", "nothing-like-it"), "no study"),
        (("worth", "{study}", "--time", "soon"), "not a time"),
        (("worth", "{study}", "--data", "missing.csv"), "missing.csv"),
    ],
)
def test_bad_input_ends_with_what_to_do_and_no_traceback(tuned, arguments, says):
    told, where, search = tuned
    names = {"first": search[0].copy, "second": search[1].copy, "study": told["study"]}
    ran = run(*(each.format(**names) for each in arguments), "--shelf", where)
    assert ran.status == 2
    assert says in ran.err
    assert "Traceback" not in ran.err


def test_worth_advises_in_words_and_in_json(tuned, tmp_path):
    told, where, _ = tuned
    drawn = tmp_path / "worth.html"
    ran = run("worth", told["study"], "--time", "8s", "--shelf", where, "--figure", drawn, "--json")
    assert ran.status == 0, ran.err
    found = ran.json
    assert len(ran.out.splitlines()) == 1
    assert found["choice"]["name"] in {each["name"] for each in found["contenders"]}
    assert found["advice"][0] in ran.err
    assert found["seconds"] < 8
    assert found["test_uses"] == 2
    assert isinstance(found["deep"], bool)
    assert "looked at 2 times" in ran.err
    assert "★" in ran.err
    assert drawn.exists()
