# %% [markdown]
# # 7 · What each hyperparameter trades
#
# Every hyperparameter gives one thing and takes another. The course says which. Here each sentence
# of the course is put to the test: a **probe** varies one setting around one network, holds all
# else, and trains each value with the same three seeds. Change the values, and run the cell again.

# %%
import tempfile

from modelshelf import Configuration, probe, train
from modelshelf.data.read import bundled
from modelshelf.insight.figures.probe import probe_figure

SHELF = tempfile.mkdtemp()


def trained(name, **settings):
    table, target = bundled(name)
    return train(table, target=target, configuration=Configuration(**settings), shelf=SHELF)


# Pictures of digits: ten classes, 1,797 rows.
digits = trained("digits", hidden_layers=[32], learning_rate=0.003, batch_size=64, epochs=20)
# Diabetes: a number to predict from 442 rows. A large network learns so few by heart.
diabetes = trained(
    "diabetes", hidden_layers=[64, 64], learning_rate=0.003, batch_size=32, epochs=50, patience=0
)


def look(model, vary, values, **changes):
    found = probe(model.copy, vary, values=values, changes=changes, shelf=SHELF)
    print(f"{vary:>16}  training  validation  {found.metric}")
    for each in found.points:
        print(
            f"{each.label:>16}  {each.train_loss:8.4f}  {each.loss:10.4f}  {each.score:8.4g}"
            f"  {each.verdict}"
        )
    print(*found.sentences, sep="\n")
    return probe_figure(found)


# %% [markdown]
# ## Learning rate
#
# *Too high: unstable training, may diverge. Too low: slow convergence, or stuck in local minima.*
#
# In Keras: `Adam(learning_rate=0.001)`. Here: `learning_rate=0.001`.

# %%
look(digits, "learning_rate", [1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 10.0])

# %% [markdown]
# ## Batch size
#
# *Small: noisy updates but better generalisation. Large: stable updates but risk of poorer
# generalisation.* A large batch also means fewer steps in as many epochs.
#
# In Keras: `model.fit(X_train, y_train, batch_size=32, epochs=10)`. Here: `batch_size=32`.

# %%
look(digits, "batch_size", [8, 32, 128, 512])

# %% [markdown]
# **Question.** Does a large batch do better at a higher learning rate? Write
# `look(digits, "batch_size", [8, 32, 128, 512], learning_rate=0.03)`.

# %% [markdown]
# ## Number of epochs
#
# *Too few: underfitting. Too many: overfitting.* modelshelf keeps the weights of the best epoch, so
# that too many epochs cost time, and no accuracy. The last sentence says what the last epoch's
# weights would have been worth.
#
# In Keras: `model.fit(X_train, y_train, epochs=50)`. Here: `epochs=50`.

# %%
look(diabetes, "epochs", [1, 4, 16, 64])

# %% [markdown]
# ## Optimiser type
#
# *SGD: simple, but may struggle with complex landscapes. Adam: adaptive learning rate, works well
# in most cases. RMSprop: works well with recurrent networks.* (There is no recurrent network here
# yet; RMSprop works on others too.) Each has a learning rate of its own that suits it: at one and
# the same rate, as here, plain SGD is slow.
#
# In Keras: `SGD(learning_rate=0.01)`, `Adam(learning_rate=0.001)`. Here: `optimizer="sgd"`.

# %%
look(digits, "optimizer", ["sgd", "momentum", "rmsprop", "adam"])

# %% [markdown]
# ## Dropout rate
#
# *Low dropout: risk of overfitting. High dropout: risk of underfitting.* Compare the training loss
# with the validation loss.
#
# In Keras: `model.add(Dropout(0.5))`. Here: `dropout=0.5`.

# %%
look(diabetes, "dropout", [0.0, 0.2, 0.5, 0.9])

# %% [markdown]
# ## Weight initialisation
#
# *Poor initialisation: slow or failed convergence. Good initialisation (e.g. He or Xavier): faster
# and stable training.* The course's NumPy program drew from a standard normal.
#
# In Keras: `Dense(64, kernel_initializer=HeNormal())`. Here: `initialisation="he_normal"`.

# %%
look(digits, "initialisation", ["standard_normal", "xavier_normal", "he_normal"])

# %% [markdown]
# ## Regularisation: L1, L2, weight decay
#
# *Too strong: underfitting. Too weak: overfitting.* L1 and L2 are penalties added to the loss; L1
# drives weights to zero, L2 keeps them small. Weight decay shrinks the weights at each step; with
# AdamW it is apart from the loss.
#
# In Keras: `Dense(64, kernel_regularizer=l2(0.01))`. Here: `l2=0.01`.

# %%
look(diabetes, "l1", [0.0, 0.001, 0.01, 0.1])

# %%
look(diabetes, "l2", [0.0, 0.01, 0.1, 1.0])

# %%
look(diabetes, "weight_decay", [0.0, 1.0, 10.0, 100.0], optimizer="adamw")

# %% [markdown]
# **Question.** Dropout and L2 both work against overfitting. Does L2 still help when there is
# dropout? Add `dropout=0.2` to the cell with `"l2"`.

# %% [markdown]
# ## Loss function
#
# *Quadratic? Cross-entropy?* For classes, both can be trained. The probe compares them by one
# measure, whatever they were trained by.

# %%
look(digits, "loss", ["cross_entropy", "quadratic"])

# %% [markdown]
# ## What you saw
#
# - Learning rate, dropout and penalties have a good range, with a bad end on either side.
# - Some settings hardly matter on some data, and the probe says so.
# - What is good for one table need not be good for another: try it on yours, with
#   `modelshelf probe BARCODE --vary learning_rate`.
#
# Next: [early stopping](08-early-stopping.ipynb).
