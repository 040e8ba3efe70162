"""Splits: stratified, disjoint, whole, and decided by the seed alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelshelf.core.errors import SettingError
from modelshelf.data import split
from modelshelf.data.split import Split, dealt, drawn_rows, rows_of

FOLDS = [Split("fold", i, 5) for i in range(5)]
SKEWED = np.repeat([0, 1, 2], [800, 180, 20])


@given(
    counts=st.lists(st.integers(2, 60), min_size=2, max_size=6),
    parts=st.integers(2, 10),
    seed=st.integers(0, 9),
)
def test_every_part_has_the_same_share_of_each_class(counts, parts, seed):
    target = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    part = dealt(target, parts, seed, "test")
    sizes = np.bincount(part, minlength=parts)
    assert sizes.max() - sizes.min() <= 1
    for label in range(len(counts)):
        of_class = np.bincount(part[target == label], minlength=parts)
        assert of_class.max() - of_class.min() <= 2  # a run may begin and end inside a class


def test_folds_cover_once_every_row_that_the_search_does_not_validate_on():
    fresh, seen = rows_of(Split("search"), SKEWED, 7, classes=True)
    held = [rows_of(fold, SKEWED, 7, classes=True)[1] for fold in FOLDS]
    assert np.array_equal(np.sort(np.concatenate(held)), fresh)
    for fold, rows in zip(FOLDS, held, strict=True):
        train, _ = rows_of(fold, SKEWED, 7, classes=True)
        assert np.array_equal(np.union1d(train, rows), np.arange(1000))
        assert len(train) + len(rows) == 1000
        assert np.isin(seen, train).all()
        assert np.abs(np.bincount(SKEWED[rows]) - [128, 28.8, 3.2]).max() <= 1


def test_the_test_rows_are_a_stratified_fraction():
    keep, test = split.test_rows(SKEWED, 0.2, 3, classes=True)
    assert np.array_equal(np.sort(np.concatenate([keep, test])), np.arange(1000))
    assert np.abs(np.bincount(SKEWED[test]) - [160, 36, 4]).max() <= 1
    amount = np.random.default_rng(0).normal(size=1000)
    _, test = split.test_rows(amount, 0.25, 3, classes=False)
    assert len(test) == 250
    assert np.abs(np.quantile(amount[test], [0.1, 0.5, 0.9])
                  - np.quantile(amount, [0.1, 0.5, 0.9])).max() < 0.05  # fmt: skip


@pytest.mark.parametrize("fraction", [0.0, -0.1, 0.95, float("nan")])
def test_a_fraction_that_is_none(fraction):
    with pytest.raises(SettingError, match="test fraction"):
        split.test_rows(SKEWED, fraction, 0, classes=True)


def test_the_seed_decides():
    for first in (
        lambda seed: split.test_rows(SKEWED, 0.2, seed, classes=True),
        lambda seed: rows_of(Split("search"), SKEWED, seed, classes=True),
        lambda seed: rows_of(FOLDS[0], SKEWED, seed, classes=True),
    ):
        assert np.array_equal(first(1)[1], first(1)[1])
        assert not np.array_equal(first(1)[1], first(2)[1])


def test_a_class_of_two_rows_is_always_trained_on():
    target = np.repeat([0, 1], [98, 2])
    for seed in range(40):
        for each in (Split("search"), *FOLDS):
            train, _ = rows_of(each, target, seed, classes=True)
            assert 1 in target[train]
        keep, _ = split.test_rows(target, 0.9, seed, classes=True)
        assert 1 in target[keep]


def test_validation_rows_are_capped_and_a_refit_has_none():
    many = np.arange(300_000) % 2
    train, held = rows_of(Split("search"), many, 0, classes=True)
    assert len(held) == 20_000
    assert len(train) == 280_000
    train, held = rows_of(Split("all"), many, 0, classes=True)
    assert (len(train), len(held)) == (300_000, 0)


@pytest.mark.parametrize("each", [Split("search"), Split("all"), *FOLDS])
def test_a_split_goes_through_its_name(each):
    assert Split.parse(str(each)) == each


def test_drawn_rows_are_as_many_as_asked_and_have_every_class():
    rows = drawn_rows(SKEWED, 100, 7, classes=True)
    assert len(np.unique(rows)) == len(rows) == pytest.approx(100, abs=1)
    assert np.abs(np.bincount(SKEWED[rows]) - [80, 18, 2]).max() <= 1
    assert np.array_equal(rows, drawn_rows(SKEWED, 100, 7, classes=True))
    assert not np.array_equal(rows, drawn_rows(SKEWED, 100, 8, classes=True))
    rare = np.repeat([0, 1], [999, 1])
    assert set(rare[drawn_rows(rare, 10, 0, classes=True)]) == {0, 1}
