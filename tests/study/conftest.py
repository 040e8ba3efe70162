from __future__ import annotations

import numpy as np
import polars as pl
import pytest


def make_table(rows: int = 300, seed: int = 0) -> pl.DataFrame:
    """A table that a small network learns well: numbers, a category, holes, three classes."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 4))
    city = rng.choice(["Berlin", "Paris", "<b>Rome</b>"], rows)
    signal = x[:, 0] * x[:, 1] + (city == "Paris") + 0.1 * rng.normal(size=rows)
    label = np.where(signal > 0.7, "high", np.where(signal < -0.3, "low", "middle"))
    holes = np.where(rng.random(rows) < 0.1, np.nan, x[:, 2])
    return pl.DataFrame(
        {"a": x[:, 0], "b": x[:, 1], "c": holes, "d": x[:, 3], "city": city, "label": label,
         "amount": 100.0 * signal + 1000.0}
    )  # fmt: skip


@pytest.fixture(scope="session")
def table() -> pl.DataFrame:
    return make_table()


@pytest.fixture(scope="session")
def csv(table, tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "table.csv"
    table.drop("amount").write_csv(path)
    return path


#: A space of small, quick networks.
QUICK = {
    "hidden_layers": {"depth": (1, 2), "width": (8, 24)},
    "epochs": 60,
    "batch_size": (16, 32, 64),
    "patience": 6,
    "activation": ("relu", "tanh"),
    "ensemble_size": 1,
    "numeric_encoding": "none",
    "category_embedding": 0,
    "parametrisation": "standard",
}
