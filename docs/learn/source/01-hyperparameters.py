# %% [markdown]
# # 1 · What a hyperparameter is
#
# A neural network has two kinds of numbers.
#
# - **Parameters**, or weights, are *learned*: gradient descent changes them, step by step.
# - **Hyperparameters** are *chosen*, by you, before training begins: how large a step is, how many
#   rows are seen at once, how many layers there are.
#
# This notebook trains one network, shows you both kinds, and puts a few networks on a shelf.

# %%
import tempfile

from modelshelf import Configuration, Model, Shelf, train
from modelshelf.data.read import bundled
from modelshelf.space.barcode import stripes
from modelshelf.space.catalogue import CATALOGUE

SHELF = tempfile.mkdtemp()  # a shelf in a temporary folder
table, target = bundled("digits")  # it comes with scikit-learn: nothing is downloaded
inputs = table.frame.drop(target)
print(f"{inputs.height:,} pictures of {inputs.width} points; the target is called {target!r}")

# %% [markdown]
# ## Parameters are learned, hyperparameters are set
#
# A `Configuration` is one full set of hyperparameters. What you do not set has its default.

# %%
configuration = Configuration(hidden_layers=[32], learning_rate=0.01, epochs=20)
model = train(table, target=target, configuration=configuration, shelf=SHELF)

weights, biases = model.network.weights()
for i, (w, b) in enumerate(zip(weights, biases, strict=True), 1):
    print(f"layer {i}: weights {w.shape}, biases {b.shape}")
print("parameters, learned:    ", model.record.parameters)
print("hyperparameters, chosen:", len(configuration))
print("validation accuracy:    ", round(model.record.score, 3))

# %% [markdown]
# ## The catalogue
#
# Every hyperparameter that modelshelf knows has an entry: what it means, what too little of it
# does, what too much of it does, and where that is known from. `modelshelf hyperparameters` prints
# the same at the command line.

# %%
for group in ("structure", "training", "regularisation", "preparation", "text", "images"):
    names = [name for name, each in CATALOGUE.items() if each.group == group]
    print(f"{group}: {', '.join(names)}\n")

# %% [markdown]
# The course asks five questions. Each is a hyperparameter of the catalogue.
#
# | the course asks | here it is called |
# |---|---|
# | Which step size *s* of stochastic gradient descent? | `learning_rate` |
# | Which batch size *B*? | `batch_size` |
# | Which dropout rate *r*? | `dropout` |
# | Which weight decay, at which rate? | `weight_decay`, and `l1`, `l2` |
# | Which loss function: quadratic, cross-entropy? | `loss` |

# %%
for name in ("learning_rate", "batch_size", "dropout", "weight_decay", "loss"):
    each = CATALOGUE[name]
    print(f"{name} ({each.domain.words()}; default {each.default})")
    print(f"  too little: {each.too_little}\n  too much:   {each.too_much}")

# %% [markdown]
# ## A barcode for each configuration
#
# The course says that hyperparameters are *like barcodes for different models on your model shelf*.
# Here that is meant literally. A barcode is computed from the hyperparameters, and from nothing
# else. Change one of them, and the barcode is another.

# %%
print(configuration.barcode)
print(configuration.replace(learning_rate=0.02).barcode, " another learning rate")
print(Configuration(epochs=20, hidden_layers=[32], learning_rate=0.01).barcode, " the same again")

# %% [markdown]
# A barcode can be drawn: one stripe for each hyperparameter, longer where the value lies further up
# in its range.

# %%
for stripe in stripes(configuration):
    print(f"{stripe.name:15} {'█' * round(1 + 24 * stripe.position):26}{stripe.value}")

# %% [markdown]
# `beta1` is there because the optimizer is Adam. Plain SGD has no `beta1`, so it has no part in
# such a network's barcode.

# %%
print("beta1" in configuration, "beta1" in configuration.replace(optimizer="sgd"))

# %% [markdown]
# ## Why they matter
#
# The same table, and one hyperparameter at a time that differs. Look at the accuracy, at the steps
# that training took, and at the size. (Each network draws first weights of its own, so a small
# difference means nothing. Notebook 7 compares fairly.)

# %%
changes = [
    {"learning_rate": 0.0001},
    {"learning_rate": 0.01},
    {"learning_rate": 3.0},
    {"batch_size": 512},
    {"epochs": 2},
    {"hidden_layers": [256, 256]},
]
for change in changes:
    one = train(table, target=target, configuration=configuration.replace(**change), shelf=SHELF)
    told = one.record
    print(
        f"{change!s:30} {one.barcode}  accuracy {told.score:.3f}  "
        f"{told.steps:4} steps  {told.parameters:6,} weights  {told.size:7,} bytes"
    )

# %% [markdown]
# **Question.** Which learning rate between 0.0001 and 3 is best here? Change the list above and run
# the cell again. What is on the shelf already is not trained a second time.
#
# ## The shelf
#
# All these networks lie on the shelf. The first few characters of a barcode are enough to take one
# down, and it is the very network that was trained: its answers are the same to the last bit.

# %%
with Shelf.open(SHELF) as shelf:
    for study in shelf.studies():
        for trial in shelf.trials(study.name, sort="score"):
            print(f"{trial.barcode}  accuracy {trial.score:.3f}  {trial.status}")

again = Model.from_shelf(configuration.barcode[:9], SHELF)
print((again.predict_proba(inputs) == model.predict_proba(inputs)).all())

# %% [markdown]
# ## What you saw
#
# - Parameters are learned. Hyperparameters are chosen before training.
# - A configuration is one choice of all of them, and its barcode is its identity.
# - They decide how good a network is, how long it trains, and how large it is.
#
# Next: [the vanilla NumPy network](02-numpy-network.ipynb).
