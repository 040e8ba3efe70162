# %% [markdown]
# # 14 · A competition
#
# *Learning outcome 5: refine a codebase for machine learning competitions.*
#
# A competition gives you `train.csv`, `test.csv` without the answers, and `sample_submission.csv`,
# which shows the form of what is to be handed in. This notebook makes such files from a bundled
# table, so that we can be contestant and jury.
#
# To be plain about what is there: reading, search, honest score, ensemble, prediction and report
# are here now, and used below. The commands `compete` (which finds its way through these files
# alone) and `adopt` (which takes over an existing training script) come in later versions.

# %%
import tempfile
from pathlib import Path

import numpy as np
import polars as pl

from modelshelf import Space, diagnose, report, tune
from modelshelf.data.read import bundled
from modelshelf.insight.figures.study import scores_figure

FOLDER = Path(tempfile.mkdtemp()) / "contest"
FOLDER.mkdir()
SHELF = FOLDER / "shelf"

# %% [markdown]
# ## The files
#
# The jury keeps 169 answers to itself.

# %%
table, target = bundled("breast_cancer")
order = np.random.default_rng(0).permutation(table.frame.height)
rows = table.frame[order.tolist()].with_row_index("id")
train_part, test_part = rows[:400], rows[400:]

train_part.write_csv(FOLDER / "train.csv")
test_part.drop(target).write_csv(FOLDER / "test.csv")
sample = test_part.select("id").with_columns(pl.lit("benign").alias(target))
sample.write_csv(FOLDER / "sample_submission.csv")
print(sorted(each.name for each in FOLDER.glob("*.csv")))

# %% [markdown]
# ## The search
#
# The column `id` is no measurement, so it is left aside. A fifth of `train.csv` is set apart as
# test rows: nothing is chosen by them. In earnest you would give it minutes (`time_limit="10m"`)
# and the whole space; here it is a few networks, so that the page is quick.

# %%
result = tune(
    FOLDER / "train.csv",
    target=target,
    trials=12,
    folds=3,
    seed=0,
    columns={"id": "ignore"},
    space=Space(
        hidden_layers={"depth": (1, 2), "width": (8, 64)},
        learning_rate=(1e-3, 1e-1),
        optimizer="adam",
        activation=("relu", "tanh"),
        epochs=60,
        patience=10,
        ensemble_size=1,
        numeric_encoding="none",
        category_embedding=0,
        parametrisation="standard",
    ),
    shelf=SHELF,
    study="contest",
)
print(*result.understood, sep="\n")

# %% [markdown]
# ## The honest score
#
# Of several networks, the one with the best validation score was also lucky. So the finalists are
# trained again on fresh splits, and the winner is scored once on the test rows. This is what to
# expect from the jury. Plain models stand beside it; where one of them is ahead, hand that in.

# %%
print(f"re-tests    {result.winner.validation:.4f} ± {result.winner.validation_std:.4f}")
low, high = result.winner.test_interval
print(f"test rows   {result.winner.test:.4f} (95 %: {low:.4f} to {high:.4f})")
print(f"ensemble    {result.ensemble.test:.4f}, of {result.ensemble.size} networks")
for each in result.baselines:
    print(f"{each.name:18} {each.test:.4f}")

# %%
scores_figure(result.metric, result.winner, result.ensemble, result.baselines)

# %% [markdown]
# Before handing in, one look for what may be wrong: a column that tells the answer (a *leak*),
# labels that are wrong, overfitting.

# %%
diagnosis = diagnose(result.winner.barcode, shelf=SHELF, time_limit=2)
for each in diagnosis.findings:
    print(f"{each.name} ({each.sure}): {each.evidence}")
print("looked for:", ", ".join(diagnosis.checked))

# %% [markdown]
# ## The submission
#
# The same columns, in the same order, as many rows as the sample, and no answer missing.

# %%
unknown = pl.read_csv(FOLDER / "test.csv")
answers = result.ensemble_model.predict(unknown.drop("id"))
submission = unknown.select("id").with_columns(pl.Series(target, answers.tolist()))
submission.write_csv(FOLDER / "submission.csv")

wanted = pl.read_csv(FOLDER / "sample_submission.csv")
assert submission.columns == wanted.columns
assert submission["id"].to_list() == wanted["id"].to_list()
assert submission[target].null_count() == 0
print(submission.head(3))

# %% [markdown]
# ## The jury
#
# Was the honest score honest? Both scores are of a sample of rows, so they differ; the jury's
# should nearly always lie within the interval.

# %%
truth = test_part[target]
for name, network in (("winner", result.model), ("ensemble", result.ensemble_model)):
    answered = network.predict(unknown.drop("id"))
    print(f"{name:9} {np.mean(answered == truth.to_numpy()):.4f} on the jury's {len(truth)} rows")
print(f"expected  {low:.4f} to {high:.4f}")

# %% [markdown]
# **Question.** Search with `trials=60`. Does the validation score rise more than the jury's score?
# What would have happened had you picked the best of many by the jury's score?

# %% [markdown]
# ## The report
#
# One page for one who was not there: question, data, winner, what was tried, how to reproduce. It
# works offline. At the command line: `modelshelf report contest --out report.html`.

# %%
page = report("contest", FOLDER / "report.html", SHELF)
print(page.name, f"{page.stat().st_size / 2**20:.0f} MiB")
text = report("contest", FOLDER / "report.md", SHELF).read_text(encoding="utf-8")
print(text[:900])

# %% [markdown]
# ## What you saw
#
# - A competition is a table, an honest score, and a file of the right form.
# - The score to believe is the one from rows that chose nothing.
# - What is still to come: `compete` and `adopt`.
#
# Next: [convolution](15-convolution.ipynb).
