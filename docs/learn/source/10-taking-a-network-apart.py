# %% [markdown]
# # 10 · Taking a network apart
#
# *Learning outcome 1: dissect a simple neural network using the PyTorch optimisation framework.*
#
# `dissect` opens a network on the rows of its own study: what flows forward through each layer,
# what flows back, what each column is worth, and one row on its way. The same at the command line:
# `modelshelf dissect BARCODE --row 1`.

# %%
import contextlib
import runpy
import tempfile

from modelshelf import Configuration, diagnose, dissect, train, train_like, training_step
from modelshelf.data.read import bundled
from modelshelf.insight.figures.dissection import dissection_figure

SHELF = tempfile.mkdtemp()
table, target = bundled("breast_cancer")
model = train(
    table,
    target=target,
    configuration=Configuration(
        hidden_layers=[16, 16], learning_rate=0.003, batch_size=32, epochs=40
    ),
    shelf=SHELF,
)
found = dissect(model.copy, row=1, shelf=SHELF)
print(model.barcode, f"accuracy {model.record.score:.3f} on validation rows")

# %% [markdown]
# ## Layer by layer
#
# Each layer as it was *drawn*, before training, and as it was *trained*. *Dead* units are those
# that nothing flows back through: they have stopped learning. *A step* is the share of the weights
# that one training step changes.

# %%
print("layer     shape    weights           outputs        zero  dead  gradient   norm  a step")
for layer in found.layers[1:]:
    for when, flow in (("drawn", layer.initial), ("trained", layer.trained)):
        dead = "" if flow.dead is None else flow.dead
        print(
            f"{layer.name:9} {layer.inputs:2} × {layer.units:2}  {when:8}"
            f"  {flow.mean:8.3f} ± {flow.std:6.3f}  {flow.zeros:8.0%}  {dead:4}"
            f"  {flow.weight_gradient:8.3g}  {flow.weight:5.2f}  {flow.ratio:6.2%}"
        )
print(*found.sentences, sep="\n")

# %% [markdown]
# ## What each column is worth
#
# Each column of the table is shuffled, five times. What does the score lose without it?

# %%
print(f"{found.importance.metric} {found.importance.score:.3f} with all columns")
for column in found.importance.columns[:6]:
    print(f"{column.column:24} {column.drop:+.4f} ± {column.std:.4f}")

# %% [markdown]
# ## One row
#
# The first row of the table: its answer, and what each column added to it. The amounts are
# *integrated gradients*. They must come to the answer here minus the answer for an average row, and
# the last line says how nearly they do.

# %%
row = found.row
print(f"answer {row.answer}, truth {row.truth}, {row.part} row")
for column, amount in row.attribution.columns[:6]:
    print(f"{column:24} {amount:+.3f}")
told = row.attribution
print(f"{told.what}: {told.output:.3f} here, {told.baseline:.3f} for an average row")
print(
    f"the amounts come to {sum(amount for _, amount in told.columns):.3f}, off by {told.error:.0e}"
)

# %%
dissection_figure(found)

# %% [markdown]
# ## One training step, by PyTorch
#
# The very first step of this network's training: its first weights, its first batch. PyTorch's
# autograd finds the gradients (`loss.backward()`), and the update stands in `no_grad`. The program
# then compares its weights with those of modelshelf's own engine.

# %%
step = training_step(model.copy, shelf=SHELF)
print(step.program("torch"))

# %%
folder = tempfile.mkdtemp()
try:
    import torch  # noqa: F401
except ModuleNotFoundError:
    print('PyTorch is missing: pip install "modelshelf[learn]"')
else:
    program = step.write(folder, "torch")
    with contextlib.chdir(folder):
        runpy.run_path(str(program))

# %% [markdown]
# ## An ill network
#
# Now one that went wrong: the same, with plain SGD at a learning rate that is far too high. Look at
# its layers, and at what the diagnosis says.

# %%
ill = train_like(model.copy, {"optimizer": "sgd", "learning_rate": 5.0, "patience": 0}, shelf=SHELF)
print(*dissect(ill.copy, shelf=SHELF).sentences, sep="\n")

# %%
diagnosis = diagnose(ill.copy, shelf=SHELF, time_limit=3)
for each in diagnosis.findings:
    print(f"{each.name} ({each.sure})\n  {each.evidence}\n  {each.advice} {each.changes or ''}")

# %% [markdown]
# **Question.** What ails networks like `model` with these changes? Guess before you look:
# `{"hidden_layers": [256, 256], "patience": 0, "epochs": 300}`, `{"epochs": 3}`, `{"dropout":
# 0.9}`.

# %% [markdown]
# ## What you saw
#
# - A network can be looked into at every layer, forward and back, before and after training.
# - What an answer rests on can be added up, column by column.
# - One training step is a short program, in NumPy and in PyTorch, and both agree with the engine.
#
# Next: [whether to go deep](11-whether-to-go-deep.ipynb).
