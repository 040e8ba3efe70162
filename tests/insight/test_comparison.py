"""Networks side by side: settings, disagreements, and the rows that tell most."""

from __future__ import annotations

import numpy as np

from modelshelf.insight.comparison import disagreement, settings_of, telling_rows


def test_settings_that_one_lacks_differ():
    found = settings_of([{"l2": 0.1, "epochs": 5}, {"epochs": 5, "hidden_layers": [8]}])
    assert {each.name: (each.values, each.differs) for each in found} == {
        "hidden_layers": ((None, [8]), True),
        "epochs": ((5, 5), False),
        "l2": ((0.1, None), True),
    }


def test_disagreements_count_who_is_right():
    target = np.array([0, 1, 2, 0, 1])
    first = np.eye(3)[[0, 1, 2, 1, 0]]
    second = np.eye(3)[[0, 0, 1, 2, 1]]
    found = disagreement(0, 1, target, [first, second])
    assert (found.rows, found.first_right, found.second_right, found.neither) == (4, 2, 1, 1)


def test_numbers_disagree_where_they_are_far_apart():
    target = np.array([0.0, 10.0, 20.0, 30.0])
    first = target + np.array([0.1, 5, 0, -9])
    second = target + np.array([0.2, 0, 6, 0])
    found = disagreement(0, 1, target, [first, second])
    assert (found.rows, found.first_right, found.second_right, found.neither) == (3, 1, 2, 0)


def test_rows_that_are_answered_differently_come_first():
    first = np.array([[0.9, 0.1], [0.55, 0.45], [0.99, 0.01], [0.2, 0.8]])
    second = np.array([[0.55, 0.45], [0.45, 0.55], [0.01, 0.99], [0.2, 0.8]])
    assert telling_rows([first, second], 5).tolist() == [2, 1, 0]  # the last is answered alike
    assert telling_rows([first, second], 1).tolist() == [2]
