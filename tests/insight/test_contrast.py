"""Which values are as good as the best: error rates on planted losses, and what the rule takes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from modelshelf.insight.contrast import against_best, moderated


def planted(rng, effects, *, seeds=3, rows=400, noise=0.02, spread=0.5):
    """Losses (seeds, treatments) with a seed's own effect, and the loss of each row."""
    per_row = rng.gamma(2.0, 0.15, rows)
    own = rng.normal(0, 0.05, (seeds, 1))
    wide = noise * np.exp(rng.normal(0, spread, len(effects)))
    logs = np.log(effects) + own + rng.normal(0, 1, (seeds, len(effects))) * wide
    losses = per_row.mean() * np.exp(logs)
    of_rows = [per_row * np.exp(mean) for mean in logs.mean(axis=0)]
    return losses, of_rows


def claims(effects, seed, **more):
    rng = np.random.default_rng(seed)
    losses, rows = planted(rng, effects, **more)
    return against_best(losses, rows)[1]


@pytest.mark.parametrize("spread", [0.0, 0.5])
def test_where_nothing_differs_hardly_anything_is_claimed(spread):
    wrong = sum(any(each.worse for each in claims(np.ones(9), k, spread=spread))
                for k in range(400))  # fmt: skip
    assert wrong / 400 <= 0.05


def test_without_the_correction_more_would_be_claimed_than_is_so():
    """A negative control: an uncorrected t test of each value against the best."""
    wrong = 0
    for k in range(400):
        losses, _ = planted(np.random.default_rng(k), np.ones(9), spread=0.0)
        logs = np.log(losses)
        best = logs[:, [logs.mean(axis=0).argmin()]]
        found = stats.ttest_rel(logs, best, alternative="greater").pvalue
        wrong += bool(np.nanmin(found) < 0.05)
    assert wrong / 400 > 0.2


def test_what_is_worse_is_found():
    effects = np.array([1.0, 1.02, 1.3, 3.0, 100.0])
    found = [claims(effects, k) for k in range(50)]
    assert np.mean([each[4].worse for each in found]) == 1.0
    assert np.mean([each[3].worse for each in found]) == 1.0
    assert np.mean([each[2].worse for each in found]) > 0.9
    assert all(not each[0].worse for each in found)


def test_the_least_ratio_holds():
    effects = np.array([1.0, 1.1, 1.5, 2.0])
    held = [all(each.least <= e for each, e in zip(claims(effects, k), effects, strict=True))
            for k in range(200)]  # fmt: skip
    assert np.mean(held) >= 0.95


def test_rows_that_cannot_tell_leave_a_difference_unclaimed():
    losses = np.array([[0.3, 0.33], [0.3, 0.33], [0.31, 0.341]])
    few = np.random.default_rng(0).exponential(0.3, (2, 12))
    many = [np.full(1000, 0.3), np.full(1000, 0.33)]
    assert not against_best(losses, list(few))[1][1].worse
    assert against_best(losses, many)[1][1].worse


def test_what_was_trained_once_is_not_told_apart():
    losses = np.array([[0.3, 0.9, 0.31], [0.3, np.nan, 0.3]])
    best, found = against_best(losses, [None] * 3)
    assert best == 0 or best == 2
    assert found[1] is None
    alone = against_best(losses[:1], [None] * 3)[1]
    assert alone == [None, None, None]


def test_networks_that_are_the_same_to_the_bit_do_not_differ():
    same = np.tile(np.array([[0.3], [0.4], [0.2]]), 4)
    assert not any(each.worse for each in against_best(same, [None] * 4)[1])


def test_the_prior_is_what_was_drawn():
    rng = np.random.default_rng(0)
    alike = 0.04 * rng.chisquare(4, 4000) / 4
    freedom, value = moderated(alike, 4)
    assert freedom > 50
    assert value == pytest.approx(0.04, rel=0.05)
    unlike = alike * 6.0 / rng.chisquare(6, 4000)
    freedom, value = moderated(unlike, 4)
    assert freedom == pytest.approx(6.0, rel=0.2)
    assert value == pytest.approx(0.04, rel=0.1)
    assert moderated(np.zeros(5), 2) == (0.0, 0.0)
