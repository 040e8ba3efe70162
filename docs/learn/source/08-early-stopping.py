# %% [markdown]
# # 8 · Early stopping
#
# Early stopping ends training when the network stops improving on validation data. It helps to
# avoid overfitting, and saves time. Used improperly, it may stop too early.

# %%
import tempfile

from modelshelf import Configuration, Shelf, probe, train
from modelshelf.data.read import bundled
from modelshelf.insight.figures.probe import probe_figure
from modelshelf.insight.figures.study import curve_figure

SHELF = tempfile.mkdtemp()
table, target = bundled("diabetes")
endless = Configuration(
    hidden_layers=[64, 64], learning_rate=0.001, batch_size=32, epochs=120, patience=0
)
first = train(table, target=target, configuration=endless, shelf=SHELF)


# %% [markdown]
# ## Without it
#
# `patience=0` switches early stopping off. Watch both losses: the training loss goes on falling,
# the validation loss turns around. From there on the network learns its training rows by heart.

# %%
with Shelf.open(SHELF) as shelf:
    curve = shelf.curve(first.record.study, first.record.number)
for point in curve:
    if point.epoch in (1, 5, 10, 20, 40, 80, 120):
        print(
            f"epoch {point.epoch:3}  training {point.train_loss:.4f}  "
            f"validation {point.validation_loss:.4f}"
        )
print("least validation loss at epoch", first.record.best_epoch)

# %%
curve_figure(curve, first.record.best_epoch)

# %% [markdown]
# ## The rule
#
# Count the epochs since the validation loss was last at its least. When they are `patience` many,
# stop. In Keras: `EarlyStopping(monitor='val_loss', patience=5)`. Here: `patience=5`.
#
# One difference is worth knowing. Keras keeps the *last* weights unless you say
# `restore_best_weights=True`. modelshelf always keeps those of the best epoch.


# %%
def stops_at(losses, patience):
    least, waited = float("inf"), 0
    for epoch, loss in enumerate(losses, 1):
        if loss < least:
            least, waited = loss, 0
        else:
            waited += 1
        if patience and waited == patience:
            return epoch
    return len(losses)


# %% [markdown]
# Does the product do that? A probe trains the network with several patiences, all from the same
# first weights. `0 (off)` runs to the end. On its curve we find, by the rule above, where each of
# the others should have stopped.

# %%
found = probe(first.copy, "patience", values=[1, 2, 5, 20, 0], seeds=1, shelf=SHELF)
with Shelf.open(SHELF) as shelf:
    trials = [
        next(e for e in shelf.resolve(p.barcode) if e.purpose == "probe") for p in found.points
    ]
    whole = shelf.curve(trials[-1].study, trials[-1].number)
losses = [each.validation_loss for each in whole]
for point, trial in zip(found.points, trials, strict=True):
    print(
        f"patience {point.label:>8}: by the rule {stops_at(losses, point.value):3} epochs, trained "
        f"{trial.epoch:3}; kept epoch {trial.best_epoch:3}, loss {trial.loss:.4f}"
    )

# %% [markdown]
# ## Too early
#
# With strong dropout the curve is noisy: it goes up for an epoch, and down again. A patience of 1
# takes the first bad epoch for the end. The probe trains each patience with three seeds.

# %%
found = probe(
    first.copy, "patience", values=[1, 2, 4, 16, 0], changes={"dropout": 0.5}, shelf=SHELF
)
for each in found.points:
    print(
        f"patience {each.label:>8}  trained {each.epoch:5.1f} epochs  loss {each.loss:.4f}  "
        f"{each.verdict}"
    )
print(*found.sentences, sep="\n")

# %%
probe_figure(found)

# %% [markdown]
# **Question.** `min_delta` is the least improvement that counts. Add
# `"min_delta": 0.01` to the changes. Which patience do you need now?
#
# `monitor="accuracy"` watches the accuracy of classes in place of the loss, as Keras does with
# `monitor='val_accuracy'`.

# %% [markdown]
# ## What you saw
#
# - Beyond some epoch a large network gets worse on rows that it has not seen.
# - Early stopping ends there. Its price is a setting, `patience`.
# - Too little patience stops in the noise; too much only costs time.
#
# Next: [tokenisation](09-tokenisation.ipynb).
