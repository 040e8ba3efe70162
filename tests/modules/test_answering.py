"""A module that learns, and then cannot answer some rows: the study has its result all the same."""

from __future__ import annotations

import math

import numpy as np
import pytest
from torch import nn

from modelshelf import Shelf, tune

TEST_ROWS = 12


class Picky(nn.Module):
    """Answers any number of rows but some: what `x.squeeze()` does to a chunk of one row."""

    def __init__(self, inputs, outputs, refused):
        super().__init__()
        self.refused = refused
        self.inner = nn.Sequential(nn.Linear(inputs, 4), nn.Tanh(), nn.Linear(4, outputs))

    def forward(self, x):
        if not self.training and len(x) == self.refused:
            raise ValueError("too picky")
        return self.inner(x)


@pytest.fixture(scope="module")
def rows():
    x = np.random.default_rng(0).normal(size=(60, 3)).astype("float32")
    return x, (x[:, 0] > 0).astype(int)


def run(rows, place, refused):
    return tune(
        *rows, module=Picky, space={"refused": refused, "epochs": 4, "batch_size": 16},
        trials=4, test=TEST_ROWS / 60, folds=2, shelf=place, study="picky", prefer="small",
    )  # fmt: skip


def test_a_winner_that_cannot_answer_the_test_rows_has_no_test_score(rows, tmp_path):
    found = run(rows, tmp_path, TEST_ROWS)
    assert found.winner.test is None
    assert math.isfinite(found.winner.validation)
    assert found.baselines
    assert found.ensemble is None
    said = [note for note in found.notes if "ValueError: too picky" in note]
    assert len(said) == 2
    assert said[0].startswith("The winner could not answer the test rows. ")
    assert said[1].startswith("There is no ensemble, for a network of it could not answer. ")
    run(rows, tmp_path, TEST_ROWS)
    with Shelf.open(tmp_path) as shelf:
        study = shelf.study("picky")
        assert (study.status, study.test_uses) == ("done", 1)
        assert shelf.check() == ()


def test_what_answers_everything_has_both(rows, tmp_path):
    found = run(rows, tmp_path, 0)
    assert found.winner.test is not None
    assert found.ensemble is not None
    assert not any("could not answer" in note for note in found.notes)
