# %% [markdown]
# # 16 · What a GPU is good at
#
# A GPU does the same thing to very many numbers at once. It does not do one small thing fast. This
# notebook measures where the difference lies, trains eight networks as one, and asks which device
# is the better one for you. It runs on what is there: without a GPU, on the CPU, as the same
# program.

# %%
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from sklearn.datasets import load_digits

try:
    import torch
except ModuleNotFoundError:
    raise ModuleNotFoundError('PyTorch is missing: pip install "modelshelf[learn]"') from None

from modelshelf import Configuration, UserError
from modelshelf.core.protocols import TrainingData
from modelshelf.engines.numpy_ import NumpyEngine
from modelshelf.engines.numpy_.compile import single_threaded
from modelshelf.engines.torch_.devices import find_device
from modelshelf.engines.torch_.population import PopulationEngine

torch.manual_seed(0)
torch.set_num_threads(1)  # so that the measures below are of one core, or of a GPU

# %% [markdown]
# ## The device is chosen by what is there
#
# In PyTorch you ask, and move everything by `.to(device)`. modelshelf asks in the same way:
# `tune(…, device="auto")`, at the command line `--device auto`, and both leave it out, for that is
# the default. What was asked for and is not there is an error, not a slower answer.

# %%
device = find_device("auto").name
print("here:", device, "-", torch.ones(3).to(device).device.type)
try:
    print("cuda:", find_device("cuda").title)
except UserError as error:
    print("cuda:", error)

# %% [markdown]
# ## Small and large
#
# Nearly all the work of a network is in products of matrices. Each call costs some microseconds,
# whatever its size: PyTorch has to look up what to do, and a GPU has to be told. Then come the
# multiplications, of which a GPU does thousands at a time.


# %%
def seconds(work, times):
    """Of one call. A GPU is told and works on, so its work must be waited for."""
    wait = {"cuda": torch.cuda.synchronize, "mps": torch.mps.synchronize}.get(device, lambda: None)
    work()  # the first call prepares
    wait()
    began = time.perf_counter()
    for _ in range(times):
        work()
    wait()
    return (time.perf_counter() - began) / times


rates = {}
for size, times in ((4, 2000), (32, 2000), (256, 100), (1024, 5)):
    a, b = torch.rand(2, size, size, device=device)
    took = seconds(lambda a=a, b=b: a @ b, times)
    rates[size] = size**3 / took
    print(f"{size:4} x {size:4}: {took * 1e6:9.1f} µs, {rates[size] / 1e9:9.3f} billion a second")
print(f"a product of 4 x 4 works at {rates[4] / rates[1024]:.2%} of the rate of the largest")

# %% [markdown]
# A network for a table is at the small end: with 32 hidden units and 32 rows at a time, its
# products are 32 × 64 by 64 × 32. One such network leaves a GPU idle. So give it many at once.
#
# ## Eight networks as one
#
# Networks of equal shape can be stacked: the weights of eight layers, each (64, 16), are one array
# (8, 64, 16), and `bmm`, the *batched* product, multiplies all eight in one call. The sum of their
# losses has, for each network, exactly its own gradient, for no weight has a part in another
# network's loss.

# %%
digits = load_digits()
x = torch.tensor(digits.data / 16, dtype=torch.float32, device=device)
y = torch.tensor(digits.target, device=device)
COUNT, HIDDEN, BATCH, STEPS = 8, 16, 32, 100
first = torch.randn(COUNT, 64, HIDDEN, device=device) / 8
second = torch.randn(COUNT, HIDDEN, 10, device=device) / 4
rate = torch.logspace(-2, 0, COUNT, device=device)  # what they differ in


def train_stack(which):
    """Train these of the eight networks, all at once, by plain gradient descent."""
    w1, w2 = (w[which].clone().requires_grad_() for w in (first, second))
    for step in range(STEPS):
        rows = slice(step * BATCH % 1760, step * BATCH % 1760 + BATCH)
        hidden = torch.bmm(x[rows].expand(len(w1), -1, -1), w1).relu()
        logits = torch.bmm(hidden, w2)  # (networks, rows, classes)
        wanted = y[rows].repeat(len(w1))
        losses = torch.nn.functional.cross_entropy(
            logits.flatten(0, 1), wanted, reduction="none"
        ).view(len(w1), BATCH)
        losses.mean(dim=1).sum().backward()
        with torch.no_grad():
            for w in (w1, w2):
                w -= rate[which, None, None] * w.grad
                w.grad = None
    return w1.detach(), w2.detach(), losses.mean(dim=1).detach()


together = train_stack(slice(0, COUNT))
alone = [train_stack(slice(k, k + 1)) for k in range(COUNT)]
for k in range(COUNT):
    print(f"rate {rate[k]:.3f}   together {together[2][k]:.6f}   alone {alone[k][2][0]:.6f}")
apart = max((together[0][k] - alone[k][0][0]).abs().max().item() for k in range(COUNT))
print(f"weights apart by {apart:.0e} at most")

# %% [markdown]
# The same networks, to rounding. And the time?

# %%
at_once = seconds(lambda: train_stack(slice(0, COUNT)), 1)
in_turn = seconds(lambda: [train_stack(slice(k, k + 1)) for k in range(COUNT)], 1)
print(f"one after another: {in_turn * 1e3:.0f} ms; at once: {at_once * 1e3:.0f} ms")
print(f"at once is {in_turn / at_once:.1f} times as fast here")

# %% [markdown]
# **Question.** Raise `COUNT` to 64, then `HIDDEN` to 256. On your device, when does stacking begin
# to gain less?

# %% [markdown]
# ## In the product
#
# On a GPU, `tune` hands its networks to a *population*, which stacks those of equal shape, and
# refills a place when a network stops. On a CPU they go to the *compiled engine*, one network on
# each core: there, the products are no calls at all, but loops in one program made for them. The
# two agree to rounding, so a barcode means the same on both. Here both train the same eight.

# %%
x, y = (digits.data / 16).astype(np.float32), np.eye(10, dtype=np.float32)[digits.target]
data = TrainingData(x[:1400], y[:1400], x[1400:], y[1400:], classes=True)
EPOCHS = 10
EIGHT = [
    Configuration(hidden_layers=[32], learning_rate=float(rate), epochs=EPOCHS)
    for rate in np.geomspace(0.001, 0.03, COUNT)
]
never = np.zeros(1, np.uint8)  # set to 1, it would ask them to stop


def train_all(engine):
    """Validation losses of the eight, and seconds."""
    members = [engine.start(configuration, data, 0) for configuration in EIGHT]
    began = time.perf_counter()
    with ThreadPoolExecutor(COUNT) as pool:
        legs = list(pool.map(lambda member: engine.advance(member, data, EPOCHS, never), members))
    return np.array([leg.loss for leg in legs]), time.perf_counter() - began


population, compiled = PopulationEngine(device, COUNT), NumpyEngine()
with single_threaded():  # as in a study: networks share the cores by themselves
    runs = [(train_all(population), train_all(compiled)) for _ in range(4)]
population.close()
(stacked, _), (each, _) = runs[0]
print("losses apart by", f"{np.abs(stacked / each - 1).max():.0e} at most")

# The first run prepares, and of the others the quickest was disturbed the least.
by_population, by_compiled = (min(run[which][1] for run in runs[1:]) for which in (0, 1))
print(f"population on {device}: {by_population:.3f} s; compiled: {by_compiled:.3f} s")
better = "the compiled engine" if by_compiled < by_population else f"the population on {device}"
print(f"for {COUNT} such networks, {better} was the quicker one here and now")

# %% [markdown]
# ## When a CPU is the better choice
#
# - **Small networks.** What the cell above says of your machine, it says of networks of that size.
#   Raise `hidden_layers` to `[256, 256]` and `COUNT` to 64 before you judge a GPU by it. And
#   measure when nothing else runs: what other programs take, they take from the CPU.
# - **Networks of many shapes.** Only equal shapes can be stacked. The usual space varies the
#   structure, and hardly two of its networks are alike; for a GPU, give a space with one structure,
#   and search learning rates, dropout and penalties in it.
# - **Few networks at a time.** A GPU earns its keep by what it does side by side: many networks, or
#   one with large products, such as convolutions of large images.
#
# So try both on your own table: `modelshelf tune table.csv --time 60s --device cpu`, then `--device
# auto`, and see how many networks each trained. `docs/devices.md` says how populations work, what
# has been measured, and on what.

# %% [markdown]
# ## What you saw
#
# - A call costs the same for few numbers as for many; a GPU wins where each call has much to do.
# - Stacked networks are the same networks, to rounding, in far fewer calls.
# - The device is chosen by what is there, and a CPU is often the right one.
#
# Next: back to [the path](README.md), or on with data of your own.
