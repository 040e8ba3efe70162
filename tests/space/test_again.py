from __future__ import annotations

import json

import numpy as np
import pytest

from modelshelf.core.errors import ShelfError
from modelshelf.core.records import Task
from modelshelf.space.again import space_from_json
from modelshelf.space.space import Space
from tests.study.conftest import QUICK

SPACES = {
    "usual": Space(),
    "for numbers": Space().for_task(Task.REGRESSION).for_epochs(30),
    "narrow": Space(**QUICK),
    "layers": Space(hidden_layers=[[64], [32, 16]], patience=[0, 8, 16], loss=["quadratic"]),
    "shares": Space(
        dropout={"range": (0.1, 0.4), "off": 0.5}, l2={"values": [1e-4, 1e-3], "off": 0.1}
    ),
    "cases": Space(
        normalisation=["none", "layer"],
        when={
            "normalisation": {"on": {"learning_rate": (1e-3, 0.5)}},
            "optimizer": {
                "adam or adamw": {
                    "beta1": (0.8, 0.99),
                    "when": {"normalisation": {"off": {"l1": 0}}},
                }
            },
        },
    ),
}


@pytest.mark.parametrize("name", SPACES)
def test_a_space_comes_back_whole(name):
    space = SPACES[name]
    again = space_from_json(json.loads(json.dumps(space.to_json())))
    assert again.to_json() == space.to_json()
    assert again.dimensions == space.dimensions
    for unit in np.random.default_rng(0).random((50, space.dimensions)):
        assert again.configuration(unit) == space.configuration(unit)


@pytest.mark.parametrize(
    "varied",
    [
        "Real(low=1, high=2)()",
        "__import__('os').system('true')",
        "Real(low=open('x'))",
        "Other(a=1)",
    ],
)
def test_what_is_no_domain_is_refused_and_not_run(varied):
    with pytest.raises(ShelfError):
        space_from_json({"fixed": {}, "varied": {"learning_rate": varied}})
