# %% [markdown]
# # 11 · Whether to go deep
#
# *Learning outcome 2: evaluate the trade-offs of employing deep neural networks in your machine
# learning projects.*
#
# A deep network costs time, memory, and the ease of explaining it. Is it worth that? `worth` puts a
# study's best network beside plain models, on rows that none of them has seen, and gives plain
# advice. Sometimes the advice is: use the linear model.

# %%
import tempfile
from pathlib import Path

import numpy as np
import polars as pl

from modelshelf import Space, tune, worth
from modelshelf.data.read import bundled
from modelshelf.insight.figures.theme import blank
from modelshelf.insight.figures.worth import figure

FOLDER = Path(tempfile.mkdtemp())
SHELF = FOLDER / "shelf"
SPACE = Space(
    hidden_layers={"depth": (1, 2), "width": (32, 128)},
    learning_rate=(1e-3, 1e-2),
    optimizer="adam",
    activation=("relu", "tanh"),
    epochs=60,
    patience=10,
    ensemble_size=1,
    numeric_encoding="none",
    category_embedding=0,
    parametrisation="standard",
)


def judged(table, target, name):
    result = tune(
        table, target=target, trials=8, folds=2, seed=1, space=SPACE, shelf=SHELF, study=name
    )
    print(f"the best of {result.trials['started']} networks: {result.winner.barcode}")
    found = worth(name, shelf=SHELF, time_limit=2)
    print(f"{found.metric} on {found.row_count} {found.rows} rows")
    for each in found.contenders:
        low, high = each.interval
        print(
            f"  {each.name:20} {each.score:.3f} ({low:.3f} to {high:.3f})"
            f"  {each.parameters:7,} numbers  {each.bytes / 1024:6.1f} KiB"
        )
    print(*found.advice, sep="\n")
    return found


# %% [markdown]
# ## A table of measurements
#
# Breast cancer: 569 rows, 30 measurements of cells.

# %%
table, target = bundled("breast_cancer")
cells = judged(table, target, "cells")

# %%
figure(cells)

# %% [markdown]
# Read the intervals before you read the scores. On so few test rows, several contenders cannot be
# told apart, and then the cheapest of them is what to use. `worth` says so by a rule, not by taste.
#
# ## A crooked table
#
# Ten measurements. What counts is how far two mixtures of them lie from their middle. No straight
# line parts the two kinds, and no single column says anything.

# %%
rng = np.random.default_rng(0)
measured = rng.standard_normal((800, 10))
mixtures = measured @ rng.standard_normal((10, 2)) / np.sqrt(10)
kind = np.where(np.square(mixtures).sum(axis=1) > 1.4, "far", "near")
crooked = pl.DataFrame(measured, schema=[f"m{i}" for i in range(10)]).with_columns(
    kind=pl.Series(kind.tolist())
)
crooked.write_csv(FOLDER / "crooked.csv")

drawn = blank("What the columns hide", "first mixture", "second mixture", height=420)
for name in ("near", "far"):
    part = mixtures[kind == name]
    drawn.add_scatter(x=part[:, 0], y=part[:, 1], mode="markers", marker={"size": 4}, name=name)
drawn

# %%
kinds = judged(FOLDER / "crooked.csv", "kind", "crooked")

# %%
figure(kinds)

# %% [markdown]
# ## Would more rows help?
#
# `worth` also trains on growing shares of the rows. A curve that still rises says: get more data.

# %%
for curve in kinds.curves:
    told = ", ".join(f"{each.rows} rows {each.score:.2f}" for each in curve.points)
    print(f"{curve.name:18} {told}")

# %% [markdown]
# **Question.** Make the crooked table smaller: 200 rows in place of 800. Does the advice change?
#
# **Question.** Give the linear model the squares of all columns and their products. Does it still
# need a network? (This is what a hidden layer finds by itself.)

# %% [markdown]
# ## What you saw
#
# - Whether to go deep depends on the data, and can be measured.
# - Where scores cannot be told apart, the cheaper model is the better choice.
# - A deep network earns its cost where what counts is hidden in mixtures of the columns.
#
# Next: [refining a network](12-refining-a-network.ipynb).
