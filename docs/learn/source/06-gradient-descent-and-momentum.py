# %% [markdown]
# # 6 · Gradient descent, with and without momentum
#
# Gradient descent goes downhill: a step against the gradient, and again. **Gradient descent with
# momentum** keeps a share of its last step. It is designed to help the gradient descent algorithm
# converge faster. First on a small valley that can be drawn, then on a real table.

# %%
import tempfile

import numpy as np

from modelshelf import Configuration, Shelf, probe, train
from modelshelf.data.read import bundled
from modelshelf.insight.figures.probe import probe_figure
from modelshelf.insight.figures.theme import COLOURS, QUIET, blank

# %% [markdown]
# ## A narrow valley
#
# The loss is *f(x, y) = ½ (x² + 25 y²)*: steep one way, flat the other. A step that is
# small enough for the steep way is very small for the flat way. This is what makes plain gradient
# descent slow.

# %%
STEEP = np.array([1.0, 25.0])


def valley(point):
    return 0.5 * (STEEP * np.square(point)).sum(axis=-1)


def descend(learning_rate, momentum, steps=200):
    """The points that gradient descent visits, (steps + 1, 2)."""
    point, velocity = np.array([10.0, 1.5]), np.zeros(2)
    visited = [point]
    for _ in range(steps):
        gradient = STEEP * point
        velocity = momentum * velocity + gradient
        point = point - learning_rate * velocity
        visited.append(point)
    return np.array(visited)


def steps_to(visited, loss=1e-3):
    below = np.flatnonzero(valley(visited) < loss)
    return int(below[0]) if len(below) else None


for momentum in (0.0, 0.5, 0.8, 0.9, 0.99):
    print(f"momentum {momentum:<5} steps until the loss is below 0.001:", end=" ")
    print(steps_to(descend(0.02, momentum)) or "more than 200")

# %%
figure = blank("Forty steps through a narrow valley", "x", "y", height=400)
across, up = np.meshgrid(np.linspace(-5, 11, 60), np.linspace(-2, 2, 60))
figure.add_contour(
    x=across[0],
    y=up[:, 0],
    z=np.log10(valley(np.stack([across, up], axis=-1)) + 1e-3),
    showscale=False,
    contours={"coloring": "lines"},
    colorscale=[[0, QUIET], [1, QUIET]],
    line={"width": 0.6},
    hoverinfo="skip",
)
for momentum, colour in ((0.0, COLOURS[1]), (0.8, COLOURS[0])):
    path = descend(0.02, momentum, steps=40)
    figure.add_scatter(
        x=path[:, 0],
        y=path[:, 1],
        mode="lines+markers",
        marker={"size": 4},
        line={"color": colour},
        name=f"momentum {momentum:g}",
    )
figure

# %% [markdown]
# **Question.** With `momentum = 0`, which `learning_rate` is the largest that does not diverge?
# Change 0.02 in the cells above. (The steep way decides: it is 2/25.) Does momentum allow more?

# %% [markdown]
# ## On a real table
#
# The digits: 1,797 pictures of 8 × 8 points. A **probe** is a small experiment around one network:
# one setting is varied, all else is held. Each value begins with the same weights, and sees the
# same rows in the same order. Here the optimizer alone is varied, with one seed.

# %%
SHELF = tempfile.mkdtemp()
table, target = bundled("digits")
first = train(
    table,
    target=target,
    configuration=Configuration(
        hidden_layers=[32], optimizer="momentum", learning_rate=0.01, epochs=30, patience=0
    ),
    shelf=SHELF,
)
pair = probe(first.copy, "optimizer", values=["sgd", "momentum"], seeds=1, shelf=SHELF)

figure = blank("Digits: the same network, with and without momentum", "epoch", "validation loss")
with Shelf.open(SHELF) as shelf:
    for point in pair.points:
        trial = next(e for e in shelf.resolve(point.barcode) if e.purpose == "probe")
        curve = shelf.curve(trial.study, trial.number)
        losses = [each.validation_loss for each in curve]
        name = "with momentum" if point.label == "momentum" else "without momentum"
        figure.add_scatter(x=[e.epoch for e in curve], y=losses, mode="lines", name=name)
        reached = next((e.epoch for e in curve if e.validation_loss < 0.5), "not yet")
        print(
            f"{name:17} loss below 0.5 at epoch {reached}; after 30 epochs {losses[-1]:.3f}, "
            f"accuracy {trial.score:.3f}"
        )
figure.update_yaxes(type="log")
figure

# %% [markdown]
# ## How much momentum?
#
# One seed may be luck. With several, the probe says which values are as good as the best. At the
# command line: `modelshelf probe BARCODE --vary momentum`.

# %%
found = probe(
    first.copy,
    "momentum",
    values=[0.0, 0.5, 0.9, 0.98, 0.999],
    shelf=SHELF,
)
for point in found.points:
    print(f"momentum {point.label:6} loss {point.loss:.4f}  {point.verdict}")
print(*found.sentences, sep="\n")

# %%
probe_figure(found)

# %% [markdown]
# `momentum = 0` is plain gradient descent: the table's first line is the network without momentum.
#
# **Question.** Is the best momentum another one at ten times the learning rate? Add
# `changes={"learning_rate": 0.1}` to the probe.

# %% [markdown]
# ## What you saw
#
# - Momentum keeps a share of the last step. Along a flat valley the steps add up.
# - Too much of it overshoots and circles.
# - On a real table it saved epochs, and a probe says how much of it is good there.
#
# Next: [what each hyperparameter trades](07-trade-offs.ipynb).
