"""Figures draw what their records hold, and a browser draws them without a word."""

from __future__ import annotations

import math
import shutil

import pytest

from modelshelf import Shelf, compare, dissect, explain, probe, worth
from modelshelf.core.records import CurvePoint, Purpose
from modelshelf.insight.figures import comparison, dissection
from modelshelf.insight.figures import worth as worth_figures
from modelshelf.insight.figures.explanation import (
    effect_figure,
    explanation_figure,
    importance_figure,
    interaction_figure,
)
from modelshelf.insight.figures.probe import probe_figure
from modelshelf.insight.figures.study import curve_figure, scores_figure, tried_figure
from modelshelf.insight.figures.theme import write
from modelshelf.insight.importance import importances
from modelshelf.study.result import StudyResult
from tests.conftest import HOSTILE, SCRIPT
from tests.insight.planted import PLANTED, space
from tests.insight.planted import searched as planted
from tests.reports.browser import needs_browser, opened


@pytest.fixture(scope="module")
def shelf(searched, tmp_path_factory):
    """A copy: a probe puts networks on it."""
    return shutil.copytree(searched, tmp_path_factory.mktemp("figures") / "shelf")


@pytest.fixture(scope="module")
def result(shelf) -> StudyResult:
    with Shelf.open(shelf) as opened_shelf:
        return StudyResult.from_json(opened_shelf.study(HOSTILE).result)


@pytest.fixture(scope="module")
def trials(shelf):
    with Shelf.open(shelf) as opened_shelf:
        found = opened_shelf.trials(HOSTILE)
    return [each for each in found if each.purpose is Purpose.SEARCH]


@needs_browser
@pytest.mark.parametrize("what", ["explain", "probe", "dissect", "compare", "worth"])
def test_a_browser_draws_each_figure_and_says_nothing(what, shelf, result, trials, tmp_path):
    first, second = (t.copy for t in trials[:2])
    figure = {
        "explain": lambda: explanation_figure(explain(HOSTILE, shelf)),
        "probe": lambda: probe_figure(
            probe(first, "learning_rate", values=[1e-3, 1e-2], seeds=2, shelf=shelf)
        ),
        "dissect": lambda: dissection.dissection_figure(dissect(first, row=2, shelf=shelf)),
        "compare": lambda: comparison.figure(compare([first, second], shelf=shelf)),
        "worth": lambda: worth_figures.figure(worth(HOSTILE, shelf=shelf, time_limit=8)),
    }[what]()
    write(figure, tmp_path / "page.html")
    document, said = opened(tmp_path / "page.html")
    assert said == ""
    assert 'class="main-svg"' in document
    assert "<script>alert(2)" not in document.split("</head>")[-1].replace("\\u003c", "")
    assert SCRIPT not in document


def test_importances_are_drawn_as_they_are(shelf):
    found = explain(HOSTILE, shelf)
    figure = importance_figure(found)
    by_name = {each.name: each for each in found.importances}
    alone, total = figure.data
    assert list(alone.y) == list(total.y)
    assert list(alone.x) == [by_name[name].alone for name in alone.y]
    assert list(total.x) == [by_name[name].total for name in total.y]
    ends = zip(alone.y, alone.x, alone.error_x.array, strict=True)
    assert all(x + e == pytest.approx(by_name[n].alone_interval[1]) for n, x, e in ends)


def test_effects_and_interactions_are_drawn_as_they_are():
    features, values, _, _ = planted(space(), PLANTED["crossed"][0], 300, 0)
    alone, pairs = importances(space(), features, values, 0)
    line = effect_figure(alone[0]).data[-1]
    assert list(line.x) == [level.label for level in alone[0].levels]
    assert list(line.y) == [1 - level.standing for level in alone[0].levels]
    heat = interaction_figure(pairs[0]).data[0]
    assert [list(row) for row in heat.z] == [[1 - s for s in row] for row in pairs[0].standings]
    assert list(heat.y) == list(pairs[0].first_labels)


def test_scores_are_drawn_with_their_intervals(result):
    figure = scores_figure(result.metric, result.winner, result.ensemble, result.baselines)
    drawn = {trace.y[0]: trace for trace in figure.data}
    mine = drawn["this network"]
    assert mine.x[0] == result.winner.test
    assert mine.x[0] + mine.error_x.array[0] == pytest.approx(result.winner.test_interval[1])
    for each in result.baselines:
        assert drawn[each.name].x[0] == each.test


def test_every_judged_network_is_drawn_once(result, trials):
    figure = tried_figure(result.metric, trials)
    drawn = [barcode for trace in figure.data for barcode in trace.text]
    judged = [t.barcode for t in trials if math.isfinite(t.score) and t.status != "diverged"]
    assert sorted(drawn) == sorted(judged)


def test_a_curve_without_validation_has_one_line():
    points = [CurvePoint(e, 1.0 / e, math.nan, math.nan) for e in (1, 2, 3)]
    assert [trace.name for trace in curve_figure(points, 3).data] == ["training"]
    both = [CurvePoint(e, 1.0 / e, 2.0 / e, 0.5) for e in (1, 2, 3)]
    assert [trace.name for trace in curve_figure(both, 3).data] == ["validation", "training"]
    assert list(curve_figure(both, 3).data[0].y) == [2.0, 1.0, 2.0 / 3]
