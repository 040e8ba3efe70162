# %% [markdown]
# # 12 · Refining a network for an application
#
# *Learning outcome 3: refine an existing neural network for a specific application.*
#
# There is a network, and there is a use for it that it was not made for. Say: it must run on a
# small device, so it may have 1,000 weights at most, and it must not lose accuracy that can be
# measured. Three ways, from the smallest change to the largest.

# %%
import tempfile

from modelshelf import Configuration, Space, compare, train, train_like, tune
from modelshelf.data.read import bundled
from modelshelf.insight.figures.comparison import figure
from modelshelf.insight.figures.study import tried_figure
from modelshelf.shelf import Shelf

SHELF = tempfile.mkdtemp()
MOST = 1_000  # weights
table, target = bundled("breast_cancer")
existing = train(table, target=target, configuration=Configuration(epochs=60), shelf=SHELF)
print(existing.barcode, existing.configuration["hidden_layers"])
print(f"{existing.record.parameters:,} weights, accuracy {existing.record.score:.3f}")

# %% [markdown]
# ## 1. Change what must change: `train_like`
#
# One more network like that one, on the same rows, with changes. At the command line:
# `modelshelf train --like BARCODE --set hidden_layers=16`.

# %%
small = train_like(existing.copy, {"hidden_layers": [16]}, shelf=SHELF)
print(f"{small.record.parameters:,} weights, accuracy {small.record.score:.3f}")

# %% [markdown]
# ## 2. See what was given for it: `compare`
#
# Both on the same validation rows, with an interval for the *difference*. The two answer the same
# rows, so most of the luck of the draw cancels out.


# %%
def differences(found):
    for setting in found.settings:
        if setting.differs:
            print(f"{setting.name:16}", *setting.values, sep="   ")
    for side in found.networks:
        scored, apart = side.scored, ""
        if scored.difference is not None:
            change = scored.difference
            apart = f"  difference {change.value:+.4f} ({change.low:+.4f} to {change.high:+.4f})"
        print(
            f"{side.barcode}  {side.parameters:6,} weights  {side.multiply_adds:6,} multiply-adds"
            f"  {found.metric} {scored.score:.4f}{apart}"
        )
    print(f"on {found.row_count} {found.rows} rows;", *found.notes)


found = compare([existing.copy, small.copy], shelf=SHELF)
differences(found)

# %%
for each in found.disagreements:
    print(
        f"They differ on {each.rows} of {found.row_count} rows: the first is right on "
        f"{each.first_right}, the second on {each.second_right}."
    )
for row in found.telling[:2]:
    print(f"row {row.row}: {row.target}; answers {row.answers}; chances of the truth {row.chances}")

# %% [markdown]
# ## 3. Search nearby: a narrower space
#
# The width was a guess, and the learning rate was chosen for a larger network. So we search, in a
# space that holds only networks that fit the application. `prefer="small"` takes, of the networks
# that cannot be told from the best, the one with the fewest weights.

# %%
narrow = Space(
    hidden_layers={"depth": (1, 1), "width": (2, 30)},
    learning_rate=(1e-3, 1e-1),
    optimizer="adam",
    activation=("relu", "tanh"),
    epochs=60,
    batch_size=(16, 64),
    patience=16,
    ensemble_size=1,
    numeric_encoding="none",
    parametrisation="standard",
)
result = tune(
    table,
    target=target,
    trials=8,
    folds=2,
    space=narrow,
    prefer="small",
    shelf=SHELF,
    study="small",
)
refined = result.model
print(refined.barcode, refined.configuration["hidden_layers"], refined.configuration["activation"])
print(f"{refined.record.parameters:,} weights; test accuracy {result.winner.test:.3f}", end=" ")
low, high = result.winner.test_interval
print(f"(95 %: {low:.3f} to {high:.3f})")
assert refined.record.parameters <= MOST

# %%
with Shelf.open(SHELF) as shelf:
    tried = shelf.trials(result.study)
tried_figure(result.metric, tried)

# %% [markdown]
# ## What changed
#
# The study set test rows apart and split the rest in its own way. A fair comparison needs the same
# rows for both. So the existing network's settings are trained once more, on the study's rows.

# %%
names = {*existing.configuration, *refined.configuration}
settings = {name: existing.configuration.value(name) for name in names}
again = train_like(refined.barcode, settings, shelf=SHELF)
print("the same barcode as the existing network:", again.barcode == existing.barcode)

found = compare([again.copy, refined.barcode], shelf=SHELF)
differences(found)

# %%
figure(found)

# %% [markdown]
# **Question.** Is there one with 100 weights that still does? Change `"width": (2, 30)` to `(2,
# 3)`, give the study another name, and look at the interval of the difference.

# %% [markdown]
# ## What you saw
#
# - `train_like` changes what you name, and leaves all else.
# - `compare` says what the change gave and took, with an interval.
# - A narrower space keeps the search within what the application allows.
#
# Next: [structure](13-structure.ipynb).
