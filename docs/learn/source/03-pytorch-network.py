# %% [markdown]
# # 3 · The same model in PyTorch
#
# PyTorch does two things for you: it finds the gradients by itself, and it holds layers and
# optimizers ready. The model stays the same. Here you see *how much* the same: the losses agree to
# rounding.

# %%
import tempfile

import numpy as np
from sklearn.datasets import load_diabetes, load_wine

try:
    import torch
except ModuleNotFoundError:
    raise ModuleNotFoundError('PyTorch is missing: pip install "modelshelf[learn]"') from None

from modelshelf import Configuration, train, training_step
from modelshelf.data.read import bundled

torch.manual_seed(0)
torch.set_num_threads(1)  # so small a network is trained faster by one core than by several
print("a GPU is", "here" if torch.cuda.is_available() else "not here: all runs on the CPU")


# %% [markdown]
# ## The course's `TwoLayerNet`
#
# The constructor makes the layers. `forward` says what is computed with them.


# %%
class TwoLayerNet(torch.nn.Module):
    def __init__(self, D_in, H, D_out):
        """
        In the constructor we instantiate two nn.Linear modules and assign them as
        member variables.
        """
        super().__init__()
        self.linear1 = torch.nn.Linear(D_in, H)
        self.linear2 = torch.nn.Linear(H, D_out)

    def forward(self, x):
        """
        In the forward function we accept a Tensor of input data and we must return
        a Tensor of output data. We can use Modules defined in the constructor as
        well as arbitrary operators on Tensors.
        """
        h_relu = self.linear1(x).clamp(min=0)
        y_pred = self.linear2(h_relu)
        return y_pred


# %%
N, D_in, H, D_out = 64, 1000, 100, 10
x = torch.randn(N, D_in)
y = torch.randn(N, D_out)

model = TwoLayerNet(D_in, H, D_out)
criterion = torch.nn.MSELoss(reduction="sum")
optimizer = torch.optim.SGD(model.parameters(), lr=1e-4)
for t in range(500):
    # Forward pass: Compute predicted y by passing x to the model
    y_pred = model(x)

    # Compute and print loss
    loss = criterion(y_pred, y)
    if t % 100 == 0 or t == 499:
        print(f"{t:3} {loss.item():12.6f}")

    # Zero gradients, perform a backward pass, and update the weights.
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

# %% [markdown]
# ## Is it the same?
#
# The notes say: *exactly the same model*. Yet the NumPy program began at a loss of 25 million, and
# this one at about 680. Three hyperparameters differ, and none of them is named in the programs:
#
# - the **initialisation**: a standard normal there; here `nn.Linear`'s own, which is much smaller;
# - the **biases**: `nn.Linear` has them, the NumPy program has none;
# - the **learning rate**: 1e-6 there, 1e-4 here.
#
# So we make them equal: no biases, the same weights to start from, the same learning rate, and
# float64 on both sides.

# %%
same = TwoLayerNet(D_in, H, D_out).double()
for linear in (same.linear1, same.linear2):
    torch.nn.init.normal_(linear.weight)
    torch.nn.init.zeros_(linear.bias)
    linear.bias.requires_grad_(False)  # never learned: they stay 0

w1 = same.linear1.weight.detach().numpy().T.copy()  # nn.Linear keeps (outputs, inputs)
w2 = same.linear2.weight.detach().numpy().T.copy()
inputs, outputs = x.double(), y.double()
X, Y = inputs.numpy(), outputs.numpy()

learned = [each for each in same.parameters() if each.requires_grad]
optimizer = torch.optim.SGD(learned, lr=1e-6)
torch_losses = []
for _ in range(100):
    loss = criterion(same(inputs), outputs)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    torch_losses.append(loss.item())

# %% [markdown]
# And the program of the last notebook, from the same weights.

# %%
numpy_losses = []
for _ in range(100):
    h = X @ w1
    h_relu = np.maximum(h, 0)
    error = h_relu @ w2 - Y
    numpy_losses.append(np.square(error).sum())
    grad_h = (2.0 * error) @ w2.T
    grad_h[h < 0] = 0
    grad_w1, grad_w2 = X.T @ grad_h, h_relu.T @ (2.0 * error)
    w1 -= 1e-6 * grad_w1
    w2 -= 1e-6 * grad_w2

for t in (0, 1, 10, 50, 99):
    print(f"{t:3}  PyTorch {torch_losses[t]:20.8f}  NumPy {numpy_losses[t]:20.8f}")
apart = np.abs(np.array(torch_losses) / numpy_losses - 1).max()
print(f"apart by {apart:.0e} of the loss at most")

# %% [markdown]
# **Question.** Leave the biases in: take out the line with `requires_grad_(False)`. From which step
# on do the losses differ, and why not at step 0?

# %% [markdown]
# ## The course's `SimpleNN`
#
# The same form, with ReLU as a layer of its own. `model(input_data)` calls `forward`.


# %%
class SimpleNN(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = torch.nn.Linear(5, 8)
        self.relu = torch.nn.ReLU()
        self.fc2 = torch.nn.Linear(8, 1)

    def forward(self, x):
        x = self.fc1(x)
        x = self.relu(x)
        x = self.fc2(x)
        return x


model = SimpleNN()
input_data = torch.randn(1, 5)
output = model(input_data)  # This calls forward internally
print(model)
print(output)

# %% [markdown]
# ## Through modelshelf, unchanged
#
# A class of your own goes in as it is: its arguments are hyperparameters, named `module.…` on the
# shelf, and trained, stopped early, scored and shelved like any other network. It is at work in a
# process of its own. Here are both classes, on two tables that come with scikit-learn.

# %%
SHELF = tempfile.mkdtemp()
wine, progress = load_wine(), load_diabetes()

two = train(
    wine.data,
    wine.target,
    Configuration(**{"module.D_in": 13, "module.H": 20, "module.D_out": 3, "learning_rate": 0.01}),
    module=TwoLayerNet,
    shelf=SHELF,
)
simple = train(
    progress.data[:, 2:7],  # it wants five columns
    progress.target,
    Configuration(learning_rate=0.01),
    module=SimpleNN,
    shelf=SHELF,
)
for model, metric in ((two, "accuracy"), (simple, "rmse")):
    told = model.record
    name = type(model.to_torch()).__name__
    print(f"{name:11} {told.barcode[:9]}  {told.parameters} parameters  {metric} {told.score:.3f}")

# %% [markdown]
# `tune(…, module=TwoLayerNet, space={"H": (8, 128), …})` searches its width, and every
# hyperparameter of training with it.

# %% [markdown]
# ## From the shelf to PyTorch
#
# Your own module comes off the shelf as what it was. A dense network that modelshelf trained can be
# carried off too, as a plain `torch.nn.Sequential`. It gives the same answers, and needs modelshelf
# no more.

# %%
table, target = bundled("iris")
trained = train(
    table,
    target=target,
    configuration=Configuration(hidden_layers=[8], learning_rate=0.02, epochs=60),
    shelf=SHELF,
)
carried = trained.to_torch()
print(carried)

rows = table.frame.drop(target)
prepared = torch.from_numpy(trained.preparation.transform(rows))
with torch.no_grad():
    chances = torch.softmax(carried(prepared), dim=1).numpy()
print("largest difference:", f"{np.abs(chances - trained.predict_proba(rows)).max():.0e}")

# %% [markdown]
# ## Its first training step, in PyTorch
#
# The same program as in the last notebook. `loss.backward()` stands where the chain rule stood.

# %%
print(training_step(trained.copy, shelf=SHELF).program("torch"))

# %% [markdown]
# ## What you saw
#
# - PyTorch computes what the NumPy program computes, to rounding.
# - What made the two programs differ were hyperparameters that nobody had named.
# - A module of your own goes through modelshelf unchanged, and lies on the same shelf.
# - A network on the shelf is a PyTorch network when you want it to be.
#
# Next: [tensors, `requires_grad`, `backward`, `no_grad`](04-tensors-and-gradients.ipynb).
