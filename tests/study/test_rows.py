"""A table with more rows than networks can be shown in the time: fewer are learned from."""

from __future__ import annotations

import pytest

from modelshelf import Shelf
from modelshelf.space.defaults import usual_rows
from modelshelf.study import study
from tests.study.test_study import quick


def test_more_time_and_fewer_columns_let_more_rows_be_learned_from():
    assert usual_rows(14, None) is None
    assert usual_rows(14, 5.0) == usual_rows(14, 1.0) < usual_rows(14, 60.0)
    assert usual_rows(1_000, 60.0) < usual_rows(14, 60.0)


def test_a_study_learns_from_the_rows_that_there_is_time_for_and_says_so(
    table, tmp_path, monkeypatch
):
    monkeypatch.setattr(study, "usual_rows", lambda columns, seconds: 100)
    said = []
    result = quick(
        table, tmp_path, trials=None, time_limit=4, observer=lambda each: said.append(each.notes)
    )
    assert said[0] == result.notes[:1]
    assert "Of 240 rows to learn from, 100 were drawn" in result.notes[0]
    assert result.winner.test is not None
    monkeypatch.setattr(study, "usual_rows", lambda columns, seconds: None)
    longer = quick(table, tmp_path, trials=None, time_limit=6)
    assert longer.study == result.study
    assert longer.notes[:1] == result.notes[:1]  # it goes on with the rows that it began with
    whole = quick(table, tmp_path, trials=None, time_limit=4, study="whole")
    assert not any("were drawn" in note for note in whole.notes)
    with Shelf.open(tmp_path) as shelf:
        keys = {each.settings["data_key"] for each in shelf.studies()}
        assert len(keys) == 2
        trained = {trial.barcode for trial in shelf.trials(result.study)}
        assert trained
        assert shelf.check() == ()


@pytest.mark.parametrize("most", [10_000, None])
def test_where_there_is_time_all_rows_are_learned_from(table, tmp_path, monkeypatch, most):
    monkeypatch.setattr(study, "usual_rows", lambda columns, seconds: most)
    result = quick(table, tmp_path, trials=2)
    assert not any("were drawn" in note for note in result.notes)
