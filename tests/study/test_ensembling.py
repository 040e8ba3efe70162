"""A study's ensemble: kept answers, the file on the shelf, and what is told of it."""

from __future__ import annotations

import json
import math
import shutil
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from modelshelf import Shelf, StudyResult, UserError, tune
from modelshelf.cli.result import result_lines
from modelshelf.core.records import Purpose, Status
from modelshelf.data.metrics import METRICS, score
from modelshelf.data.read.frames import from_memory
from modelshelf.data.understand import understand
from modelshelf.study import Model
from modelshelf.study.answers import ANSWERS
from modelshelf.study.ensemble_model import EnsembleModel
from modelshelf.study.ensembling import Ensembling
from modelshelf.study.problem import Problem
from modelshelf.study.searching import SEARCH_SPLIT
from modelshelf.study.testing import TestSet
from tests.study.conftest import QUICK


def amounts(table, where, **more):
    settings = {"target": "amount", "trials": 24, "space": QUICK, "shelf": where, "seed": 5}
    return tune(table.drop("label"), **{**settings, **more})


@pytest.fixture(scope="module")
def shelved(table, tmp_path_factory):
    where = tmp_path_factory.mktemp("shelf") / "shelf"
    return amounts(table, where), where


@pytest.fixture(scope="module")
def problem(table):
    dataset = understand(*from_memory(table.drop("label"), None, "amount"), "auto", {})
    development, test = TestSet().part(dataset, 5)
    return Problem(development, METRICS["rmse"], 5, 0, *test)


def test_it_is_the_weighted_mean_of_networks_on_the_shelf(shelved, table, problem):
    result, where = shelved
    found = result.ensemble
    assert found.size == len(found.members) > 1
    assert sum(each.weight for each in found.members) == pytest.approx(1.0)
    assert found.validation <= found.single
    assert found.candidates >= found.size
    frame = table.drop("label", "amount")
    mean = sum(m.weight * Model.from_shelf(m.copy, where).predict(frame) for m in found.members)
    model = result.ensemble_model
    np.testing.assert_allclose(model.predict(frame), mean)
    with pytest.raises(TypeError, match="use predict"):
        model.predict_proba(frame)
    answered = model.answer(problem.test_frame)
    assert score(problem.metric, problem.test_target, answered) == found.test
    assert found.test_interval[0] <= found.test <= found.test_interval[1]
    assert found.parameters == sum(m.network.layout.parameters for m in model.members)
    assert found.winner_parameters == result.model.network.layout.parameters
    assert found.seconds > 0
    assert found.winner_seconds > 0
    assert not any("have now been used" in note for note in result.notes)  # one use, of both


def test_it_outlives_its_json(shelved):
    result, _ = shelved
    told = json.loads(json.dumps(result.to_json()))
    assert {"size", "validation", "test", "test_interval", "members"} <= set(told["ensemble"])
    assert StudyResult.from_json(told).ensemble == result.ensemble
    least = {"size": 3, "validation": 0.5, "test": None}  # as the contract has it
    old = StudyResult.from_json({**told, "ensemble": least}).ensemble
    assert (old.size, old.members, math.isnan(old.single)) == (3, (), True)
    none = StudyResult.from_json({**told, "ensemble": None})
    with pytest.raises(UserError, match="has no ensemble"):
        _ = none.ensemble_model


def test_answers_are_kept_with_the_weights_that_gave_them(shelved, problem):
    result, where = shelved
    with Shelf.open(where) as shelf:
        trials = shelf.trials(result.study)
        kept = [t for t in trials if ANSWERS in shelf.read_network(t)[0]]
        for each in kept:
            stored = shelf.read_network(each)[0][ANSWERS]
            target = problem.dataset.target[problem.rows(SEARCH_SPLIT)[1]]
            if each.purpose is Purpose.SEARCH:
                assert score(problem.metric, target, stored) == each.score
        assert {Purpose.SEARCH, Purpose.RETEST} == {each.purpose for each in kept}
        assert Status.STOPPED in {each.status for each in kept}  # paused, until the study ended
        assert not [t for t in kept if t.status is Status.DIVERGED]


def test_a_shelf_without_kept_answers_comes_to_the_same_ensemble(
    shelved, table, tmp_path, monkeypatch
):
    monkeypatch.setattr("modelshelf.study.work.packed", lambda output, classes: {})
    old = amounts(table, tmp_path / "shelf")
    assert old.ensemble.members == shelved[0].ensemble.members
    assert old.ensemble.validation == pytest.approx(shelved[0].ensemble.validation)


class CutError(Exception):
    """Ends a study from inside, as an interruption would."""


def test_a_study_cut_off_comes_to_the_same_ensemble(shelved, table, tmp_path):
    for phase in ("re-testing", "testing"):

        def cut(progress, phase=phase):
            if progress.phase == phase:
                raise CutError

        with pytest.raises(CutError):
            amounts(table, tmp_path / "shelf", observer=cut)
    again = amounts(table, tmp_path / "shelf", workers=1)
    timed = {"seconds": 0.0, "winner_seconds": 0.0}
    assert replace(again.ensemble, **timed) == replace(shelved[0].ensemble, **timed)


def test_neither_sweeping_nor_going_on_takes_it_away(table, tmp_path):
    where = tmp_path / "shelf"
    first = amounts(table, where, trials=12)
    rows = table.drop("label", "amount")
    before = first.ensemble_model.predict(rows)
    more = amounts(table, where, trials=30)
    assert more.study == first.study
    with Shelf.open(where) as shelf:
        with shelf.lock(first.study):
            shelf.sweep(first.study)
        assert shelf.check() == ()
        assert more.ensemble.file not in shelf.orphans()
    assert np.array_equal(first.ensemble_model.predict(rows), before)
    by_name = EnsembleModel.from_shelf(more.study[:6], where)
    assert np.array_equal(by_name.predict(rows), more.ensemble_model.predict(rows))
    path = where / more.ensemble.file
    path.write_bytes(path.read_bytes()[:-1])
    with Shelf.open(where) as shelf:
        assert len(shelf.check()) == 1
    with pytest.raises(UserError, match="damaged"):
        _ = more.ensemble_model
    path.unlink()
    with pytest.raises(UserError, match=r"ensemble .* is missing"):
        _ = more.ensemble_model


def test_other_studies_of_the_same_rows_count_where_they_may(shelved, table, tmp_path, problem):
    where = tmp_path / "shelf"
    amounts(table, where, trials=8, study="first")
    amounts(table, where, trials=8, study="other rows", seed=4)
    second = amounts(table, where, trials=8, study="second", space={**QUICK, "epochs": 20})
    with Shelf.open(where, create=True) as shelf:
        key = shelf.study("second").settings["data_key"]
        winner = next(t.number for t in shelf.trials("second") if t.copy == second.winner.copy)
        alone, _, _ = Ensembling(problem, shelf, "second", None).run(winner, lambda: math.inf)
        both, _, _ = Ensembling(problem, shelf, "second", key).run(winner, lambda: math.inf)
        none, _, said = Ensembling(problem, shelf, "second", key).run(winner, lambda: 0.0)
    assert alone.members == second.ensemble.members
    assert alone.candidates < both.candidates <= 16
    assert none is None
    assert "no time for an ensemble" in said


def printed(result) -> str:
    console = Console(width=160)
    with console.capture() as caught:
        for line in result_lines(result, "modelshelf tune …", None):
            console.print(line)
    return " ".join(caught.get().split())


def test_a_person_reads_what_it_reaches_and_costs(shelved):
    result, _ = shelved
    dear = replace(result.ensemble, parameters=960, winner_parameters=320, seconds=0.012,
                   winner_seconds=0.004)  # fmt: skip
    told = printed(replace(result, ensemble=dear))
    assert f"ensemble of {dear.size} networks" in told
    assert "comes from rows that did not choose it" in told
    assert "3 times the winner's weights" in told
    assert "12 ms against 4 ms" in told
    assert f"predict NEW.csv --ensemble {result.study}" in told
    alone = printed(replace(result, ensemble=replace(dear, size=1)))
    assert "No ensemble of the best" in alone
    assert "ensemble of" not in alone.replace("No ensemble of", "")
    assert "nsemble" not in printed(replace(result, ensemble=None))


def test_a_damaged_file_of_a_retest_costs_its_own_place_alone(shelved, problem, tmp_path):
    result, where = shelved
    shutil.copytree(where, tmp_path / "shelf")
    with Shelf.open(tmp_path / "shelf", create=True) as shelf:
        files = shelf.files(result.study)
        for purpose in (Purpose.RETEST, Purpose.CONFIRM):
            for trial in shelf.trials(result.study, purpose=purpose):
                (tmp_path / "shelf" / files[trial.number].file.name).write_bytes(b"nothing")
        winner = next(t.number for t in shelf.trials(result.study) if t.copy == result.winner.copy)
        found, bag, said = Ensembling(problem, shelf, result.study, None).run(
            winner, lambda: math.inf
        )
    assert bag is None
    assert said == ""
    assert found.size == found.configurations > 1
