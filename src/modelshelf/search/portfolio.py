"""Configurations that are known to do well: they are tried before anything else.

Chosen by hand to differ from each other: what one is bad at, another should be good at.
"""

from __future__ import annotations

from functools import lru_cache

from modelshelf.space.configuration import Configuration
from modelshelf.space.space import Space

__all__ = ["PORTFOLIO", "portfolio"]

PORTFOLIO: tuple[dict[str, object], ...] = (
    {"hidden_layers": (128, 128), "learning_rate": 2e-3, "dropout": 0.1, "batch_size": 128},
    {"hidden_layers": (64, 64), "learning_rate": 5e-3, "l2": 1e-5, "batch_size": 64,
     "scaling": "quantile"},
    {"hidden_layers": (256, 256), "learning_rate": 1e-3, "dropout": 0.25, "batch_size": 128,
     "scaling": "quantile"},
    {"hidden_layers": (32,), "learning_rate": 5e-3, "l2": 1e-4, "batch_size": 32,
     "scaling": "robust"},
    {"hidden_layers": (256, 256, 256), "learning_rate": 1e-3, "dropout": 0.1, "batch_size": 256,
     "scaling": "robust"},
    {"hidden_layers": (128, 128, 128), "optimizer": "momentum", "learning_rate": 0.03,
     "dropout": 0.1, "batch_size": 64, "scaling": "quantile"},
    {"hidden_layers": (64, 64), "activation": "tanh", "initialisation": "xavier_uniform",
     "learning_rate": 2e-3, "l2": 1e-5, "batch_size": 64},
)  # fmt: skip


@lru_cache(maxsize=8)
def portfolio(space: Space) -> tuple[Configuration, ...]:
    """The known configurations that lie in a space, with its fixed values."""
    known = (space.restrict(Configuration(**each)) for each in PORTFOLIO)
    return tuple(dict.fromkeys((*(each for each in known if each is not None), *space.known)))
