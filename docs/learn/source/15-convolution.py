# %% [markdown]
# # 15 · Convolution
#
# A dense network takes the points of an image as a list: it does not know which points are
# neighbours. A **convolution** looks at a small patch, asks one question of it, and asks the same
# question of every other patch. This notebook builds one in ten lines, then trains two networks on
# the same small images, and moves the images by one point.

# %%
import tempfile

import numpy as np
from sklearn.datasets import load_digits

try:
    import torch
except ModuleNotFoundError:
    raise ModuleNotFoundError('PyTorch is missing: pip install "modelshelf[learn]"') from None

from modelshelf import Configuration, train
from modelshelf.insight.figures.theme import blank
from modelshelf.space.catalogue import CATALOGUE

torch.set_num_threads(1)  # so small a network is asked faster on one core than on several
SHELF = tempfile.mkdtemp()
digits = load_digits()
images, answers = (digits.images * 15).astype(np.uint8), digits.target  # grey, from 0 to 240
print(images.shape, images.dtype)
print(images[0])

# %% [markdown]
# ## Ten lines
#
# A **kernel** is a small array of weights. Lay it on a patch, multiply point by point, add up: one
# number. Do so at every place: the numbers are a smaller image, a **map** of where the image looks
# like the kernel. An image may have several channels, such as red, green and blue; a layer has
# several kernels, and each gives a map.


# %%
def convolution(image, kernels):
    """Maps (kernels, rows, columns) of an image (channels, height, width)."""
    count, _, high, wide = kernels.shape
    rows, columns = image.shape[1] - high + 1, image.shape[2] - wide + 1
    maps = np.zeros((count, rows, columns))
    for k in range(count):
        for i in range(rows):
            for j in range(columns):
                maps[k, i, j] = (image[:, i : i + high, j : j + wide] * kernels[k]).sum()
    return maps


upright = np.array([[1, 0, -1], [1, 0, -1], [1, 0, -1]])  # more at the left than at the right
lying = upright.T
kernels = np.stack([upright, lying])[:, None]  # two kernels of one channel
image = images[:1] / 240
maps = convolution(image, kernels)
print("from", image.shape, "to", maps.shape)
print(maps[0].round(1))

# %% [markdown]
# PyTorch's `conv2d` gives the same, faster. (A mathematician would turn the kernel round first.
# Here it is learned, so that makes no difference.)

# %%
theirs = torch.nn.functional.conv2d(torch.from_numpy(image)[None], torch.from_numpy(kernels * 1.0))
print("the same:", np.allclose(maps, theirs[0].numpy()))

# %%
figure = blank("A digit, and where its edges stand upright", "column", "row", height=320)
figure.add_heatmap(z=image[0], colorscale="Greys", showscale=False)
figure.add_heatmap(z=maps[0], x=np.arange(10, 16), colorscale="RdBu", zmid=0, showscale=False)
figure.update_yaxes(autorange="reversed")
figure.update_xaxes(scaleanchor="y")
figure

# %% [markdown]
# **Question.** Which kernel makes an image softer? Which one finds single points of light? Try both
# in the cell above.

# %% [markdown]
# ## Two things that a dense layer does not have
#
# A dense layer from 64 points to 36 has a weight for every pair. A convolution is such a layer too,
# in which most weights are 0, and the others are the same few numbers again and again.

# %%
points = np.eye(64).reshape(64, 1, 8, 8)
matrix = np.stack([convolution(point, kernels[:1]).ravel() for point in points])
print("as a dense layer:", matrix.shape, "=", matrix.size, "weights,", end=" ")
print(np.count_nonzero(matrix), "of them not 0; to be learned:", kernels[0].size)
print("the same answer:", np.allclose(image.ravel() @ matrix, maps[0].ravel()))

# %% [markdown]
# And when the image moves, its maps move with it: what was learned at one place is known at every
# other.


# %%
def moved(images, by):
    """Images (rows, height, width), so many points to the right; what comes in is dark."""
    found = np.roll(images, by, axis=2)
    found[:, :, :by] = 0  # by is 1 or 2 here
    return found


again = convolution(moved(image, 1), kernels)
print("the maps moved too:", np.allclose(again[:, :, 1:], maps[:, :, :-1]))

# %% [markdown]
# ## Two networks
#
# Now through modelshelf. Images go in as an array (rows, height, width); a folder of images, or a
# table that names files, goes in by its path. First the dense network: it sees 64 columns. Then a
# convolutional one, of two **stages**: each is a convolution, then **pooling**, which keeps the
# strongest of four neighbours, so that the next stage sees a larger part of the image. The last
# layer takes the strongest answer of each map, wherever it stood.

# %%
dense = Configuration(hidden_layers=[64], learning_rate=0.01, epochs=8)
conv = Configuration(network="conv", conv_width=16, conv_head="max", learning_rate=0.01, epochs=8)
learned, rest = slice(0, 1200), slice(1200, None)  # the rest was written by other hands

networks = {
    name: train(images[learned], answers[learned], configuration, shelf=SHELF)
    for name, configuration in (("dense", dense), ("convolution", conv))
}
for name, network in networks.items():
    right = (network.predict(images[rest]) == answers[rest]).mean()
    print(f"{name:12} {network.record.parameters:5} parameters  right: {right:.3f}")

# %% [markdown]
# ## Moved by one point
#
# The same digits, one point further to the right. You would hardly notice.

# %%
for name, network in networks.items():
    found = [network.predict(moved(images[rest], by)) == answers[rest] for by in (1, 2)]
    print(f"{name:12} by 1: {found[0].mean():.3f}   by 2: {found[1].mean():.3f}")

# %% [markdown]
# To the dense network, a digit that moved is another list of numbers. The convolutional network has
# lost something too, for pooling looks at fixed pairs of rows and columns, and the edges of an
# image are not like its middle; but much less.
#
# The other remedy is more data: show each training image moved by a point, anew in each epoch. This
# is **augmentation**.

# %%
augmented = train(
    images[learned], answers[learned], conv.replace(image_augmentation="shift"), shelf=SHELF
)
for by in (0, 1, 2):
    seen = moved(images[rest], by) if by else images[rest]
    print(f"augmented, by {by}: {(augmented.predict(seen) == answers[rest]).mean():.3f}")

# %% [markdown]
# **Question.** Shuffle the points: `images.reshape(-1, 64)[:, order].reshape(-1, 8, 8)`, with one
# `order` for all images, and train both. Which of the two does not notice, and why?

# %% [markdown]
# ## Inside
#
# A convolutional network comes off the shelf as PyTorch's module. Its first layer is our ten lines,
# with a border of zeros round the image, so that the maps are as large as the image.

# %%
module = networks["convolution"].to_torch().eval()
first = module.stages[0].conv
print(module.stages)
with torch.no_grad():
    theirs = first(torch.from_numpy(image).float()[None])[0].numpy()
ours = convolution(np.pad(image, ((0, 0), (1, 1), (1, 1))), first.weight.detach().numpy())
print("the same:", np.allclose(ours, theirs, atol=1e-5))

# %% [markdown]
# ## What each choice trades
#
# Each further stage sees more of the image. It has twice the channels, so four times the weights,
# and a quarter of the places to use them at: the work is the same. Twice the width is about four
# times of both.


# %%
def counted(side, channels, stages, width, kernel=3):
    """Weights of the convolutions, and multiplications for one image of side times side."""
    weights = work = 0
    for _ in range(stages):
        here = kernel * kernel * channels * width
        weights, work = weights + here, work + here * side * side
        side, channels, width = -(-side // 2), width, 2 * width
    return weights, work


for stages, width in ((1, 16), (2, 16), (3, 16), (2, 32)):
    weights, work = counted(8, 1, stages, width)
    print(f"{stages} stages from {width} channels: {weights:6,} weights {work:8,} multiplications")

# %% [markdown]
# The catalogue says what too little and too much of each does.

# %%
for name in ("conv_stages", "conv_pooling", "conv_head", "image_augmentation"):
    each = CATALOGUE[name]
    print(f"{name} ({each.domain.words()})")
    print(f"  too little: {each.too_little}\n  too much:   {each.too_much}")

# %% [markdown]
# Which of them pay on your images? `tune` searches them all, dense networks among them:
# `modelshelf tune images/ --time 10m`.

# %% [markdown]
# ## What you saw
#
# - A convolution asks one question of every patch: few weights, used at every place.
# - When the image moves, its maps move with it. A dense network has to learn each place anew.
# - Pooling, depth and augmentation buy what the convolution alone does not have, each at a price.
#
# Next: [what a GPU is good at](16-gpus.ipynb).
