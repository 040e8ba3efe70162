"""Studies of objectives that are known: searched as a study is, with halving's preferences."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from modelshelf.core.seeds import generator
from modelshelf.search import Evidence, Result, suggest
from modelshelf.search.model import lifted
from modelshelf.space.space import Space

RUNGS = 4

#: Five numbers that every network has, on scales of their own.
SPACE = {
    "learning_rate": (1e-4, 1e-1),
    "input_dropout": {"range": (0.01, 0.9), "off": 0.0},
    "clip_norm": {"range": (1.0, 100.0), "off": 0.0},
    "epsilon": (1e-12, 1e-2),
    "optimizer": ("adam", "rmsprop", "adagrad"),
    "hidden_layers": (64,), "activation": "relu", "parametrisation": "standard",
    "initialisation": "he_normal", "ensemble_size": 1, "loss": "cross_entropy", "batch_size": 64,
    "schedule": "coslog", "dropout": 0.0, "weight_decay": 0.01, "l1": 0.0, "l2": 0.0,
    "scaling": "standard", "numeric_encoding": "none", "encoding_bins": 48, "encoding_size": 4,
    "periodic_sigma": 0.1, "category_embedding": 0,
}  # fmt: skip


def space(**changes: object) -> Space:
    return Space(**{**SPACE, **changes})


def coordinates(space: Space, configuration) -> dict[str, float]:
    """Each varied number's place in its range; a name's as a share of the names."""
    vector = space.vector(configuration)
    return {name: vector[first] for name, (_, first, _) in space.slots.items()}


def searched(
    space: Space,
    objective: Callable[[Mapping[str, float]], float],
    trials: int,
    seed: int,
    noise: float = 0.02,
    late: float = 0.5,
):
    """Features and lifted values of a study by `suggest`; lower values are better.

    A network at a low rung stands `late` (at the first) above where it will end, give and take.
    """
    evidence, results = Evidence(), []
    while True:
        proposal = suggest(space, evidence, seed, rungs=RUNGS, limit=trials)
        if proposal is None:
            break
        if proposal.configuration is None:
            trial, rung = proposal.trial, proposal.rung + 1
            evidence.resume(proposal.trial, proposal.rung)
        else:
            trial, rung = evidence.started, 0
            evidence.start(trial, proposal.configuration)
        at = coordinates(space, evidence.configurations[trial])
        rng = generator(seed, "value", trial, rung)
        value = objective(at) + late * 0.3**rung + noise * rng.normal()
        results.append(Result(trial, rung, value, open=rung < RUNGS - 1 and math.isfinite(value)))
        evidence.observe(results[-1])
    values = lifted(results)
    features = np.array([space.features(evidence.configurations[t]) for t in values])
    return features, np.array(list(values.values())), evidence, results
