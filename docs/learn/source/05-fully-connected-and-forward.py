# %% [markdown]
# # 5 · Fully connected, and the forward function
#
# **Fully connected** means that there is an edge, or weight, between any two nodes of neighbouring
# layers. The **forward function** defines the computation that the model performs on input data to
# produce output. This notebook draws the one and writes the other.

# %%
import tempfile
from itertools import pairwise

import numpy as np

try:
    import torch
except ModuleNotFoundError:
    raise ModuleNotFoundError('PyTorch is missing: pip install "modelshelf[learn]"') from None

from modelshelf import Configuration, train
from modelshelf.data.read import bundled
from modelshelf.insight.figures.theme import BAD, GOOD, blank

table, target = bundled("iris")
HIDDEN = [6]
model = train(
    table,
    target=target,
    configuration=Configuration(hidden_layers=HIDDEN, learning_rate=0.02, epochs=80),
    shelf=tempfile.mkdtemp(),
)
weights, biases = model.network.weights()
print("validation accuracy:", round(model.record.score, 3))

# %% [markdown]
# ## Count the edges
#
# Every unit of a layer hears every unit of the layer before. So a layer with `n` inputs and `m`
# units has `n × m` weights, and `m` biases.

# %%
widths = [weights[0].shape[0], *(each.shape[1] for each in weights)]
edges = [n * m for n, m in pairwise(widths)]
print("widths:", " → ".join(map(str, widths)))
print("edges: ", " + ".join(map(str, edges)), "=", sum(edges))
print("biases:", sum(widths[1:]))
print("all:   ", sum(edges) + sum(widths[1:]), "and on the shelf:", model.record.parameters)

# %% [markdown]
# ## Draw them
#
# One line for each weight of the trained network. Green is positive, orange is negative, and
# thicker is larger.

# %%
places = [[(x, i - (n - 1) / 2) for i in range(n)] for x, n in enumerate(widths)]
figure = blank("Every weight of a fully connected network", height=380)
for layer, matrix in enumerate(weights):
    largest = np.abs(matrix).max()
    for i, j in np.ndindex(*matrix.shape):
        (x0, y0), (x1, y1) = places[layer][i], places[layer + 1][j]
        figure.add_scatter(
            x=[x0, x1],
            y=[y0, y1],
            mode="lines",
            line={
                "color": GOOD if matrix[i, j] > 0 else BAD,
                "width": 0.3 + 4 * abs(matrix[i, j]) / largest,
            },
            hoverinfo="skip",
            showlegend=False,
        )
units = [[f"unit {i + 1}" for i in range(width)] for width in widths[1:-1]]
names = [table.frame.columns[:4], *units, model.classes]
sides = ["middle left", *["top center"] * len(units), "middle right"]
for column, labels, side in zip(places, names, sides, strict=True):
    figure.add_scatter(
        x=[x for x, _ in column],
        y=[y for _, y in column],
        text=labels,
        mode="markers+text",
        textposition=side,
        marker={"size": 14, "color": "#7a7a7a"},
        showlegend=False,
    )
figure.update_xaxes(visible=False, range=[-0.7, len(widths) - 0.5])
figure.update_yaxes(visible=False)
figure

# %% [markdown]
# **Question.** How many edges has a network with `HIDDEN = [6, 6]`? Work it out, then change the
# first cell and look.

# %% [markdown]
# ## The forward function, in NumPy
#
# Prepared inputs, a product, ReLU, a product, and softmax, which turns sums into chances. These are
# the weights on the shelf, so the answers must be the same.


# %%
def forward(x):
    for i, (w, b) in enumerate(zip(weights, biases, strict=True)):
        x = x @ w + b
        if i < len(weights) - 1:
            x = np.maximum(x, 0)
    chances = np.exp(x - x.max(axis=1, keepdims=True))
    return chances / chances.sum(axis=1, keepdims=True)


rows = table.frame.drop(target)
prepared = model.preparation.transform(rows)
print("inputs as the network takes them:", prepared[0].round(2))
print("chances:", forward(prepared[:1]).round(4)[0])
print(
    "largest difference to the product's own answers:",
    f"{np.abs(forward(prepared) - model.predict_proba(rows)).max():.0e}",
)


# %% [markdown]
# ## The forward function, in PyTorch
#
# A module's `forward` is called by calling the module. The course's `SimpleNN`, with one line more
# that prints the shape on its way.


# %%
class SimpleNN(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = torch.nn.Linear(5, 8)
        self.relu = torch.nn.ReLU()
        self.fc2 = torch.nn.Linear(8, 1)

    def forward(self, x):
        for layer in (self.fc1, self.relu, self.fc2):
            x = layer(x)
            print(f"after {type(layer).__name__:7}", tuple(x.shape))
        return x


torch.manual_seed(0)
simple = SimpleNN()
output = simple(torch.randn(1, 5))  # This calls forward internally
print("parameters:", sum(each.numel() for each in simple.parameters()), "= 5×8 + 8 + 8×1 + 1")

# %% [markdown]
# `forward` is an ordinary function: it may hold any operation. That is why `TwoLayerNet` could
# write `.clamp(min=0)` where `SimpleNN` has a `ReLU` layer. Both are the same function.

# %%
z = torch.linspace(-2, 2, 5)
print(z.clamp(min=0), torch.nn.ReLU()(z))

# %% [markdown]
# ## What you saw
#
# - Fully connected: `n × m` weights between neighbouring layers.
# - The forward function is the whole network in use, and it is five lines.
# - The network on the shelf, NumPy and PyTorch give the same answers.
#
# Next: [gradient descent, with and without momentum](06-gradient-descent-and-momentum.ipynb).
