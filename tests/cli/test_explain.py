"""`explain` and `report` as a person types them."""

from __future__ import annotations

import json
import re
import shutil

import pytest

from tests.cli.conftest import run
from tests.conftest import HOSTILE


@pytest.fixture(scope="module")
def told(searched):
    ran = run("explain", HOSTILE, "--shelf", searched, "--evidence", "--json")
    assert ran.status == 0, ran.err
    return ran


def test_a_person_reads_importances_and_the_course_s_rows(searched):
    ran = run("explain", "--shelf", searched)
    assert ran.status == 0, ran.err
    assert "with others" in ran.out
    for row in ("Learning rate", "Batch size", "Epochs", "Optimizer", "Early stopping"):
        assert re.search(rf"^{row}  (seen|otherwise|both|too little)", ran.out, re.MULTILINE)
    assert "The course: Too high is unstable" in ran.out


def test_the_probe_that_is_offered_can_be_typed(told, searched, tmp_path):
    shutil.copytree(searched, tmp_path / "s")  # a probe puts networks on the shelf
    offered = re.search(r"An experiment would tell: modelshelf (probe .+)", told.err)[1]
    words = offered.replace(str(searched), str(tmp_path / "s")).split()
    assert words[:3:2] == ["probe", "--vary"]
    assert run(*words, "--points", "2", "--seeds", "1", "--time", "20s").status == 0


def test_json_holds_all_and_evidence_names_networks(told):
    found = told.json
    assert found["study"] == HOSTILE
    assert [each["name"] for each in found["rows"]][:2] == ["learning rate", "batch size"]
    for row in found["rows"]:
        assert row["verdict"]
        for each in row["findings"]:
            assert all(str(number) in found["barcodes"] for number in each["trials"])
            assert each["says"] in told.err
    rests = re.findall(r"rests on (\d+): (.*)", told.err)
    assert rests
    assert all(int(count) == len(names.split()) for count, names in rests)
    number, prefix = rests[0][1].split()[0].split(":")
    assert found["barcodes"][number].startswith(prefix)


def test_a_figure_is_a_page_of_its_own(searched, tmp_path):
    page = tmp_path / "effects.html"
    assert run("explain", "--shelf", searched, "--figure", page).status == 0
    assert "plotly" in page.read_text(encoding="utf-8")
    ran = run("explain", "--shelf", searched, "--figure", tmp_path / "effects.png")
    assert ran.status == 2
    assert ".html" in ran.err


def test_a_report_is_written_and_its_place_said(searched, tmp_path):
    ran = run("report", HOSTILE, "--shelf", searched, "--out", tmp_path / "page.html")
    assert ran.status == 0, ran.err
    assert ran.out == ""
    assert "page.html" in ran.err
    assert (tmp_path / "page.html").stat().st_size > 1_000_000
    assert run("report", HOSTILE, "--shelf", searched, cwd=tmp_path).status == 0
    assert (tmp_path / "report.html").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("explain", "nothing"), "no study"),
        (("report", "nothing"), "no study"),
        (("report", "<img", "--out", "page.pdf"), ".html or .md"),
        (("report", "<img", "--out", "no/such/page.html"), "cannot be written"),
        (("explain", "<img", "--seed", "-1"), "seed"),
    ],
)
def test_bad_input_is_answered_with_one_message(searched, tmp_path, arguments, words):
    ran = run(*arguments, "--shelf", searched, cwd=tmp_path)
    assert ran.status == 2
    assert words in ran.err
    assert "Traceback" not in ran.err


def test_a_shelf_with_several_studies_asks_which(searched, tmp_path):
    shutil.copytree(searched, tmp_path / "s")
    empty = run("explain", "--shelf", tmp_path / "none")
    assert empty.status == 2
    assert "Traceback" not in empty.err
    import sqlite3

    with sqlite3.connect(tmp_path / "s" / "shelf.sqlite") as database:
        settings = json.dumps({"single": True})
        database.execute("UPDATE study SET settings = ?", (settings,))
    ran = run("explain", "--shelf", tmp_path / "s")
    assert ran.status == 2
    assert "Name the study" in ran.err
