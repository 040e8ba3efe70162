# %% [markdown]
# # 13 · Structure
#
# *Learning outcome 4: develop intuition on the structure and components of a neural network.*
#
# How many layers, how wide, and which activation between them? The table here can be drawn: points
# in a ring, and points inside it.

# %%
import tempfile
from pathlib import Path

import numpy as np
import polars as pl

from modelshelf import Configuration, Space, explain, probe, train, train_like, tune
from modelshelf.insight.figures.explanation import explanation_figure
from modelshelf.insight.figures.probe import probe_figure
from modelshelf.insight.figures.theme import BAD, COLOURS, blank

FOLDER = Path(tempfile.mkdtemp())
SHELF = FOLDER / "shelf"
rng = np.random.default_rng(0)
angle = rng.random(400) * 2 * np.pi
inside = rng.random(400) < 0.5
radius = np.where(inside, 0.0, 2.0) + 0.55 * rng.standard_normal(400)
ring = pl.DataFrame(
    {
        "x": radius * np.cos(angle),
        "y": radius * np.sin(angle),
        "place": np.where(inside, "inside", "ring"),
    }
)
ring.write_csv(FOLDER / "ring.csv")

model = train(
    FOLDER / "ring.csv",
    target="place",
    configuration=Configuration(hidden_layers=[8], learning_rate=0.02, batch_size=32, epochs=60),
    shelf=SHELF,
)
print("accuracy", round(model.record.score, 3))

# %% [markdown]
# ## What a network draws
#
# The colour is the chance that the network gives to *ring*, everywhere in the plane. First without
# a hidden layer, which can only draw a straight line; then with 2 units, which can bend it; then
# with 8.

# %%
across, up = np.meshgrid(np.linspace(-4, 4, 60), np.linspace(-4, 4, 60))
plane = pl.DataFrame({"x": across.ravel(), "y": up.ravel()})


def drawn(model, title):
    chance = model.predict_proba(plane)[:, model.classes.index("ring")].reshape(across.shape)
    figure = blank(title, "x", "y", height=400)
    figure.add_heatmap(
        x=across[0],
        y=up[:, 0],
        z=chance,
        zmin=0,
        zmax=1,
        colorscale=[[0, BAD], [0.5, "#ffffff"], [1, COLOURS[0]]],
        opacity=0.6,
        colorbar={"title": "chance of ring", "thickness": 12},
    )
    for place, colour in (("inside", BAD), ("ring", COLOURS[0])):
        part = ring.filter(pl.col("place") == place)
        figure.add_scatter(
            x=part["x"],
            y=part["y"],
            mode="markers",
            marker={"size": 5, "color": colour, "line": {"width": 0.5, "color": "white"}},
            name=place,
        )
    return figure


shapes = {}
for layers in ((), (2,), (8,)):
    shapes[layers] = train_like(model.copy, {"hidden_layers": layers}, shelf=SHELF)
    told = shapes[layers].record
    print(f"hidden layers {layers!s:5} {told.parameters:3} weights, accuracy {told.score:.3f}")
drawn(shapes[()], "No hidden layer: a straight line")

# %%
drawn(shapes[(8,)], "One hidden layer of 8 units")

# %% [markdown]
# ## Width
#
# A hidden unit is one bend. Too few cannot close the ring. Beyond enough, more of them only cost.

# %%
found = probe(model.copy, "width", values=[1, 2, 4, 16, 64], shelf=SHELF)
for each in found.points:
    print(
        f"width {each.label:3} {each.parameters:4} weights  loss {each.loss:.3f}"
        f"  accuracy {each.score:.3f}  {each.verdict}"
    )
print(*found.sentences, sep="\n")

# %%
probe_figure(found)

# %% [markdown]
# ## Depth
#
# Layers on top of each other bend what is bent already. One can close the ring. Are more of them
# better here?

# %%
found = probe(model.copy, "depth", values=[0, 1, 2, 4], shelf=SHELF)
for each in found.points:
    print(
        f"depth {each.label} {each.parameters:4} weights  loss {each.loss:.3f}"
        f"  accuracy {each.score:.3f}  {each.verdict}"
    )
print(*found.sentences, sep="\n")

# %% [markdown]
# **Question.** Very deep networks of sigmoid units hardly learn: the gradient shrinks at each
# layer. See it with `changes={"activation": "sigmoid", "hidden_layers": [8, 8]}` and depths `[4, 8,
# 12]`. Then add `"residual": "yes"`: each layer is added to what came in. What becomes of 12
# layers?

# %% [markdown]
# ## Activation
#
# Without an activation, two layers are one: a product of two matrices is a matrix. Which one it is
# matters less than that there is one.

# %%
w1, w2 = rng.standard_normal((2, 8)), rng.standard_normal((8, 2))
x = rng.standard_normal((5, 2))
print("two layers without activation = one layer:", np.allclose((x @ w1) @ w2, x @ (w1 @ w2)))

found = probe(model.copy, "activation", values=["relu", "tanh", "sigmoid", "gelu"], shelf=SHELF)
for each in found.points:
    print(f"{each.label:8} loss {each.loss:.3f}  accuracy {each.score:.3f}  {each.verdict}")

# %% [markdown]
# ## All at once: `explain`
#
# Probes look around one network. A search tries many, and `explain` says which settings made the
# difference in it: how much each explains, alone and with others. Nothing is trained for that.

# %%
tune(
    FOLDER / "ring.csv",
    target="place",
    trials=48,
    folds=2,
    space=Space(
        hidden_layers={"depth": (1, 3), "width": (1, 32)},
        activation=("relu", "tanh", "sigmoid"),
        learning_rate=(1e-4, 1e-1),
        optimizer="adam",
        batch_size=32,
        epochs=20,
        initialisation="he_normal",
        dropout=0.0,
        l1=0.0,
        l2=0.0,
        scaling="standard",
        schedule="constant",
        ensemble_size=1,
        numeric_encoding="none",
        category_embedding=0,
        parametrisation="standard",
    ),
    shelf=SHELF,
    study="structure",
)
explanation = explain("structure", SHELF)
print(f"{explanation.networks} networks")
for each in explanation.importances:
    low, high = each.total_interval
    print(f"{each.name:14} {each.total:5.0%} of the differences ({low:.0%} to {high:.0%})")

# %%
for row in explanation.rows:
    if row.findings:
        print(f"{row.name} ({row.verdict})", *(each.says for each in row.findings), sep="\n  ")

# %%
explanation_figure(explanation)

# %% [markdown]
# ## What you saw
#
# - Without a hidden layer a network draws a straight line. Width gives it bends, depth bends them
#   again.
# - Without an activation there is no depth.
# - Beyond enough, structure matters less than the learning rate. Here the search says how much.
#
# Next: [a competition](14-a-competition.ipynb).
