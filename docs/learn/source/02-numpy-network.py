# %% [markdown]
# # 2 · The vanilla NumPy network
#
# A neural network needs no framework. The course writes one in thirty lines of NumPy. We go through
# that program cell by cell, and then look at the same program for a network of your own.

# %%
import contextlib
import runpy
import tempfile

import numpy as np

from modelshelf import Configuration, train, training_step
from modelshelf.data.read import bundled

# %% [markdown]
# ## The data
#
# `N` is the batch size, `D_in` the number of features, `H` the number of hidden units, `D_out` the
# number of outputs. Inputs and outputs are random: there is nothing to find in them, but a network
# can learn them by heart. The generator has a seed, so that you see the numbers that we saw.

# %%
N, D_in, H, D_out = 64, 1000, 100, 10
rng = np.random.default_rng(0)
x = rng.standard_normal((N, D_in))
y = rng.standard_normal((N, D_out))

# %% [markdown]
# ## The weights
#
# Two matrices. They are drawn at random: this is the **initialisation**.

# %%
w1 = rng.standard_normal((D_in, H))
w2 = rng.standard_normal((H, D_out))
print(w1.shape, w2.shape, "together", w1.size + w2.size, "weights")

# %% [markdown]
# ## Forward
#
# Multiply, cut off what is below zero (this is *ReLU*), multiply again. The loss is the sum of the
# squared errors.

# %%
h = x.dot(w1)
h_relu = np.maximum(h, 0)
y_pred = h_relu.dot(w2)
loss = np.square(y_pred - y).sum()
print(f"{loss:,.0f}")

# %% [markdown]
# ## Backward
#
# The chain rule, from the last line back to the first. Each line below undoes one line above.

# %%
grad_y_pred = 2.0 * (y_pred - y)
grad_w2 = h_relu.T.dot(grad_y_pred)
grad_h_relu = grad_y_pred.dot(w2.T)
grad_h = grad_h_relu.copy()
grad_h[h < 0] = 0
grad_w1 = x.T.dot(grad_h)

# %% [markdown]
# Is that right? A gradient says how much the loss changes when one weight changes a little. So we
# change one weight a little, and see.


# %%
def loss_of(w1, w2):
    return np.square(np.maximum(x.dot(w1), 0).dot(w2) - y).sum()


little = np.zeros_like(w1)
little[3, 5] = 1e-4
print(f"by the chain rule: {grad_w1[3, 5]:.4f}")
print(f"by trying:         {(loss_of(w1 + little, w2) - loss_of(w1 - little, w2)) / 2e-4:.4f}")

# %% [markdown]
# ## The loop
#
# Forward, backward, and a step against the gradient, 500 times. The step size is the
# **learning rate**.

# %%
learning_rate = 1e-6
for t in range(500):
    # Forward pass: compute predicted y
    h = x.dot(w1)
    h_relu = np.maximum(h, 0)
    y_pred = h_relu.dot(w2)

    # Compute and print loss
    loss = np.square(y_pred - y).sum()
    if t % 50 == 0 or t == 499:
        print(f"{t:3} {loss:18,.6f}")

    # Backprop to compute gradients of w1 and w2 with respect to loss
    grad_y_pred = 2.0 * (y_pred - y)
    grad_w2 = h_relu.T.dot(grad_y_pred)
    grad_h_relu = grad_y_pred.dot(w2.T)
    grad_h = grad_h_relu.copy()
    grad_h[h < 0] = 0
    grad_w1 = x.T.dot(grad_h)

    # Update weights
    w1 -= learning_rate * grad_w1
    w2 -= learning_rate * grad_w2

print("This is the shape of w2:", w2.shape)


# %% [markdown]
# The two weight matrices *are* the network now. Using it is the forward pass alone.


# %%
def simple_nn(x):
    h = x.dot(w1)
    h_relu = np.maximum(h, 0)
    y_pred = h_relu.dot(w2)
    return y_pred


print("largest error:", np.abs(simple_nn(x) - y).max())

# %% [markdown]
# **Question.** What happens with `learning_rate = 1e-5`, and with `1e-8`? Change it above, run the
# cell with the weights again (so that training starts anew), then the loop. The first overflows: it
# *diverges*. The second is slow.

# %% [markdown]
# ## The same program as a configuration
#
# modelshelf trains this very network. Everything that the program fixed without saying so is a
# hyperparameter with a name.

# %%
course = Configuration(
    hidden_layers=[100],
    activation="relu",
    initialisation="standard_normal",
    biases="no",
    loss="quadratic",
    reduction="sum",
    optimizer="sgd",
    learning_rate=1e-6,
    batch_size=64,
    epochs=100,
)
SHELF = tempfile.mkdtemp()
table, target = bundled("diabetes")  # 442 patients, 10 measurements, how the illness went on
model = train(table, target=target, configuration=course, shelf=SHELF)
print(model.barcode, f"rmse {model.record.score:.1f} on validation rows")

# %% [markdown]
# ## Your network's own first step, as a program
#
# `training_step` writes the first training step of any network on the shelf as a NumPy program,
# with its real weights and its real first batch. Compare it with the course's program above. At the
# command line: `modelshelf dissect BARCODE --step numpy --out FOLDER`.

# %%
step = training_step(model.copy, shelf=SHELF)
print(step.program())

# %% [markdown]
# It runs, and it holds its result against what modelshelf's compiled engine did.

# %%
folder = tempfile.mkdtemp()
program = step.write(folder)
with contextlib.chdir(folder):
    runpy.run_path(str(program))

# %% [markdown]
# ## What you saw
#
# - A network is matrices, and a forward pass through them.
# - Training is forward, backward by the chain rule, and a small step, again and again.
# - modelshelf's engine does the same, and shows you its own step as such a program.
#
# Next: [the same model in PyTorch](03-pytorch-network.ipynb).
