# %% [markdown]
# # 4 · Tensors, `requires_grad`, `backward`, `no_grad`
#
# A **torch tensor** is an *n*-dimensional array, as in NumPy, that can do four things more. This
# notebook shows each of them. PyTorch's own introduction is the
# [60-minute blitz](https://pytorch.org/tutorials/beginner/deep_learning_60min_blitz.html).

# %%
import tempfile

import numpy as np

try:
    import torch
except ModuleNotFoundError:
    raise ModuleNotFoundError('PyTorch is missing: pip install "modelshelf[learn]"') from None

from modelshelf import Configuration, train, training_step
from modelshelf.data.read import bundled

torch.manual_seed(0)

# NumPy array
np_array = np.array([[1, 2], [3, 4]])

# Torch tensor
tensor = torch.tensor([[1, 2], [3, 4]], dtype=torch.float32, requires_grad=True)
print(np_array, tensor, sep="\n")

# %% [markdown]
# ## 1. It runs on a GPU, where there is one
#
# `.to(device)` moves a tensor. The same program runs on both, if the device is chosen by what is
# there. Tensors that meet in an operation must lie on the same device.

# %%
device = "cuda" if torch.cuda.is_available() else "cpu"
moved = tensor.to(device)
back = moved.detach().cpu().numpy()  # NumPy reads the computer's own memory alone
print(moved.device.type, type(back).__name__)

# %% [markdown]
# ## 2. It finds gradients: `requires_grad` and `backward`
#
# With `requires_grad=True` PyTorch keeps a note of every operation: the **computational graph**.
# `backward()` goes through it in reverse and applies the chain rule. Then `.grad` holds the
# gradient.

# %%
# Tensor with gradients enabled
x = torch.randn(3, requires_grad=True)

# Operation
y = x * 2
print(y.grad_fn)

# Backward pass
y.sum().backward()
print(x.grad)  # Shows gradient of y.sum() w.r.t. x

# %% [markdown]
# A gradient says how much a small change of the tensor changes the result. Each `x` counts twice in
# the sum, so each gradient is 2.
#
# Gradients **accumulate**: a second `backward()` adds to what is there. This is why every training
# loop calls `optimizer.zero_grad()`.

# %%
(x * 2).sum().backward()
print("added up:", x.grad)
x.grad.zero_()
(x * 2).sum().backward()
print("set to 0 before:", x.grad)

# %% [markdown]
# **Question.** What is the gradient of `(x**3).sum()`? Work it out, then change the cell above.

# %% [markdown]
# ## No gradients where none are needed: `no_grad`
#
# Using a network needs no graph. `torch.no_grad()` leaves it out, which saves time and memory. An
# update of the weights stands in it too: the update is no part of what is differentiated.

# %%
with torch.no_grad():
    quiet = x * 2
print((x * 2).requires_grad, quiet.requires_grad)

w = torch.tensor([4.0], requires_grad=True)
for t in range(4):
    loss = (w - 1).square().sum()
    loss.backward()
    with torch.no_grad():
        w -= 0.25 * w.grad
    w.grad = None
    print(t, f"loss {loss.item():.4f}  w is now {w.item():.4f}")

# %% [markdown]
# ## 3. It goes with modules and optimizers
#
# The loop above, in the usual form.

# %%
w = torch.nn.Parameter(torch.tensor([4.0]))
optimizer = torch.optim.SGD([w], lr=0.25)
for _ in range(4):
    optimizer.zero_grad()
    (w - 1).square().sum().backward()
    optimizer.step()
print(w.item())

# %% [markdown]
# A module is a function with the tensors that it learns. modelshelf trains one in just this loop,
# with any optimizer, schedule and early stopping of its catalogue. Arguments named `inputs` and
# `outputs` are filled from your data; the others are hyperparameters.


# %%
class Net(torch.nn.Module):
    def __init__(self, inputs, outputs, width=8):
        super().__init__()
        self.first = torch.nn.Linear(inputs, width)
        self.last = torch.nn.Linear(width, outputs)

    def forward(self, x):
        return self.last(torch.relu(self.first(x)))


table, target = bundled("iris")
flowers, species = table.frame.drop(target), table.frame[target]
SHELF = tempfile.mkdtemp()
settings = Configuration(learning_rate=0.02, epochs=60)
model = train(flowers, species, settings, module=Net, shelf=SHELF)
print(model.configuration.value("module.width"), "hidden units, of", model.to_torch().first)
print("validation accuracy:", round(model.record.score, 3))

# %% [markdown]
# ## 4. It has what deep learning needs
#
# Operations **in place** end in `_`. A **hook** is called when a gradient passes by. **Mixed
# precision** computes products in 16 bits, and keeps the rest in 32.

# %%
a = torch.ones(2)
a.add_(1)
print("in place:", a)

b = torch.tensor([1.0, 2.0], requires_grad=True)
b.register_hook(lambda gradient: print("the hook saw:", gradient))
b.square().sum().backward()

with torch.autocast("cpu", dtype=torch.bfloat16):
    product = torch.ones(2, 2) @ torch.ones(2, 2)
print("mixed precision:", product.dtype)

# %% [markdown]
# ## Autograd on a real network
#
# The module that was just trained. How does the chance of one class change with the inputs of one
# flower? `backward()` answers for all four inputs at once, and trying each of them agrees.

# %%
network = model.to_torch().double()
row = torch.from_numpy(model.preparation.transform(flowers[83:84])).double()
row.requires_grad_()


def chance(row):
    return torch.softmax(network(row), dim=1)[0, 1]


chance(row).backward()
for k, name in enumerate(flowers.columns):
    little = torch.zeros_like(row)
    little[0, k] = 1e-5
    with torch.no_grad():
        tried = (chance(row + little) - chance(row - little)) / 2e-5
    print(f"{name:18} backward {row.grad[0, k].item():+.6f}  by trying {tried.item():+.6f}")
print("the chance of", model.classes[1])

# %% [markdown]
# ## All of it in one training step
#
# `training_step` writes the first step of a dense network as a program that runs by itself; at the
# command line it is `modelshelf dissect BARCODE --step`. These are its lines that hold a word of
# this notebook.

# %%
dense = settings.replace(hidden_layers=(8,))
shelved = train(table, target=target, configuration=dense, shelf=SHELF)
program = training_step(shelved.copy, shelf=SHELF).program("torch")
for number, line in enumerate(program.splitlines(), 1):
    if any(word in line for word in (".to(", "requires_grad", "backward()", "no_grad", ".grad")):
        print(f"{number:2} {line}")

# %% [markdown]
# **Question.** Which of the program's tensors have no `requires_grad`, and why do they need none?

# %% [markdown]
# ## What you saw
#
# - A tensor is an array that can move to a GPU and that remembers how it was made.
# - `requires_grad` starts the remembering, `backward` uses it, `no_grad` stops it.
# - Gradients accumulate until they are set to zero.
# - A module is trained in this loop, by you or by modelshelf.
#
# Next: [fully connected, and the forward function](05-fully-connected-and-forward.ipynb).
