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


def additive(at: Mapping[str, float]) -> float:
    """Three settings, each by itself; 72, 22 and 2 % of the variance of standings."""
    rate = 3.0 * (at["learning_rate"] - 0.4) ** 2
    return rate + 0.45 * at["input_dropout"] + 0.15 * at["clip_norm"]


def ridge(at: Mapping[str, float]) -> float:
    """What is good for one setting hangs on the other: neither matters much alone."""
    return 2.0 * abs(at["learning_rate"] - at["epsilon"])


def crossed(at: Mapping[str, float]) -> float:
    """A pure interaction: neither setting matters at all alone."""
    return 0.5 * ((at["learning_rate"] > 0.5) != (at["clip_norm"] > 0.5))


def named(at: Mapping[str, float]) -> float:
    """One of three names is bad, and a number matters a little: 94 and 6 % of the variance."""
    return 0.5 * (at["optimizer"] > 0.5) + 0.2 * at["learning_rate"]


#: What is to be found: settings in the order of their importance (a set: in either order), and
#: those without any effect. `learning_rate` and the like stand for themselves.
PLANTED = {
    "additive": (
        additive,
        ("learning_rate", "input_dropout", "clip_norm"),
        ("epsilon", "optimizer"),
    ),
    "ridge": (
        ridge,
        ({"learning_rate", "epsilon"},),
        ("input_dropout", "clip_norm", "optimizer"),
    ),
    "crossed": (
        crossed,
        ({"learning_rate", "clip_norm"},),
        ("input_dropout", "epsilon", "optimizer"),
    ),
    "named": (named, ("optimizer", "learning_rate"), ("input_dropout", "clip_norm", "epsilon")),
}


def in_order(wanted, ranked: list[str]) -> bool:
    """Whether names, ranked by importance, begin as planted."""
    at = 0
    for each in wanted:
        several = each if isinstance(each, set) else {each}
        if set(ranked[at : at + len(several)]) != several:
            return False
        at += len(several)
    return True
