"""Convolutional networks: each setting does what it says, and neighbours count."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from modelshelf.core.errors import SettingError
from modelshelf.core.protocols import TrainingData
from modelshelf.engines.torch_.engine import TorchEngine
from modelshelf.engines.torch_.families.conv import ConvNet, build_conv
from modelshelf.space.catalogue.images import IMAGES
from modelshelf.space.configuration import Configuration

GO = np.zeros(1, np.uint8)
SIDE = 12


def net(shape=(1, SIDE, SIDE), outputs=2, **settings) -> ConvNet:
    torch.manual_seed(0)
    return ConvNet(Configuration(network="conv", **settings), shape, outputs).eval()


def answers(module: ConvNet, rows: int = 5) -> torch.Tensor:
    x = torch.randn(rows, *module_shape(module), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        return module(x)


def module_shape(module: ConvNet) -> tuple[int, int, int]:
    return module.stages[0].conv.in_channels, SIDE, SIDE


def crosses(rows: int = 200, scramble: bool = False) -> TrainingData:
    """A small + or a small x somewhere in noise, of as many pixels; scrambled: these, moved."""
    rng = np.random.default_rng(0)
    shapes = np.array([[[0, 1, 0], [1, 1, 1], [0, 1, 0]], [[1, 0, 1], [0, 1, 0], [1, 0, 1]]])
    x = rng.normal(0, 0.2, (rows, SIDE, SIDE)).astype(np.float32)
    y = rng.integers(0, 2, rows)
    for image, label in zip(x, y, strict=True):
        row, column = rng.integers(0, SIDE - 2, 2)
        image[row : row + 3, column : column + 3] += 2 * shapes[label]
        if scramble:
            image[:] = rng.permutation(image.ravel()).reshape(SIDE, SIDE)
    one_hot, half = np.eye(2, dtype=np.float32)[y], rows // 2
    flat = x.reshape(rows, -1)
    return TrainingData(
        flat[:half], one_hot[:half], flat[half:], one_hot[half:], True, (0,) * SIDE**2,
        (1, SIDE, SIDE),
    )  # fmt: skip


def right(data: TrainingData, **settings) -> float:
    """The share of validation rows that a small network answers rightly."""
    c = Configuration(
        network="conv", epochs=15, learning_rate=0.01, batch_size=16, patience=0, conv_width=8,
        conv_head="max", **settings,
    )  # fmt: skip
    engine = TorchEngine(build_conv)
    member = engine.start(c, data, 0)
    engine.advance(member, data, 15, GO)
    found = engine.network(member, True).predict(data.validation_x).argmax(axis=1)
    return float((found == data.validation_y.argmax(axis=1)).mean())


def test_what_neighbours_tell_is_learned_and_gone_when_they_are_torn_apart():
    assert right(crosses()) > 0.9
    assert right(crosses(scramble=True)) < 0.7
    assert right(crosses(), conv_kernel=1) < 0.8  # looks at no neighbour before it pools


@pytest.mark.parametrize(
    ("pooling", "head", "shortcut", "norm", "kernel"),
    list(
        itertools.product(
            ("max", "average", "stride"),
            ("flatten", "average", "max"),
            ("yes", "no"),
            ("batch", "none"),
            (1, 3, 5),
        )
    ),
)
def test_every_combination_answers(pooling, head, shortcut, norm, kernel):
    module = net(
        conv_pooling=pooling, conv_head=head, conv_shortcut=shortcut, conv_norm=norm,
        conv_kernel=kernel, conv_blocks=2, conv_width=3, dropout=0.5,
    )  # fmt: skip
    found = answers(module)
    assert found.shape == (5, 2)
    assert torch.isfinite(found).all()
    assert len(set(found[:, 0].tolist())) == 5


def test_parameters_are_those_of_the_settings():
    module = net((3, 20, 30), 7, conv_width=4, conv_stages=2, conv_blocks=2, conv_kernel=5)
    of_convolutions = 25 * (3 * 4 + 4 * 4 + 4 * 8 + 8 * 8)
    of_norms = 2 * (4 + 4 + 8 + 8)
    of_the_last = (8 * 5 * 8 + 1) * 7  # 20 × 30, halved twice
    total = sum(each.numel() for each in module.parameters())
    assert total == of_convolutions + of_norms + of_the_last
    plain = net((3, 20, 30), 7, conv_width=4, conv_blocks=2, conv_kernel=5, conv_norm="none",
                conv_head="average")  # fmt: skip
    assert sum(e.numel() for e in plain.parameters()) == of_convolutions + 24 + (8 + 1) * 7


@pytest.mark.parametrize("side", [1, 2, 3, 5, 7])
def test_an_image_too_small_for_all_stages_has_fewer(side):
    module = net((1, side, 40), conv_stages=6, conv_width=2)
    with torch.no_grad():
        assert module(torch.zeros(2, 1, side, 40)).shape == (2, 2)
    assert len(module.stages) == int(np.log2(side))


@pytest.mark.parametrize(
    "changed",
    [
        {"conv_stages": 3}, {"conv_blocks": 3}, {"conv_width": 8}, {"conv_kernel": 5},
        {"conv_shortcut": "yes"}, {"conv_pooling": "average"}, {"conv_head": "average"},
        {"conv_norm": "none"}, {"activation": "gelu"},
        {"activation": "leaky_relu", "negative_slope": 0.3},
    ],
)  # fmt: skip
def test_every_setting_changes_the_network_and_its_barcode(changed):
    plain = {"conv_width": 4, "conv_blocks": 2}
    before, after = net(**plain), net(**{**plain, **changed})
    assert not torch.equal(answers(before), answers(after))
    barcodes = {Configuration(network="conv", **each).barcode for each in (plain, plain | changed)}
    assert len(barcodes) == 2


def test_no_setting_of_images_counts_for_other_networks():
    for h in IMAGES:
        assert h.name not in Configuration()
    assert Configuration(conv_width=7).barcode == Configuration().barcode


def test_dropout_is_off_when_it_answers():
    module = net(dropout=0.9)
    assert torch.equal(answers(module), answers(module))
    module.train()
    assert not torch.equal(answers(module), answers(module))


# Augmentation


def augmented(word: str, seed: int = 0, rows: int = 400) -> tuple[torch.Tensor, torch.Tensor]:
    """Images whose pixels are all different, before and after."""
    x = torch.arange(rows * 2 * SIDE * SIDE, dtype=torch.float32).reshape(rows, 2, SIDE, SIDE)
    module = net((2, SIDE, SIDE), image_augmentation=word)
    return x, module.augment(x, torch.Generator().manual_seed(seed))


def shifted(image: torch.Tensor, down: int, right: int) -> torch.Tensor:
    """The oracle: an image moved, its edges repeated."""
    padded = np.pad(image.numpy(), ((0, 0), (1, 1), (1, 1)), mode="edge")
    return torch.tensor(padded[:, 1 + down : 1 + down + SIDE, 1 + right : 1 + right + SIDE])


def moves(word: str) -> set[str]:
    """What was done to the images, each found among all that may be done to it."""
    seen = set()
    for before, after in zip(*augmented(word), strict=True):
        possible = {
            f"{flip} {down} {right}": shifted(image, down, right)
            for flip, image in (("flip", before.flip(2)), ("as it was", before))
            for down in (-1, 0, 1)
            for right in (-1, 0, 1)
        }
        found = [what for what, image in possible.items() if torch.equal(image, after)]
        assert len(found) == 1
        seen.add(found[0])
    return seen


def test_augmentation_does_what_it_says_and_nothing_else():
    assert moves("none") == {"as it was 0 0"}
    assert moves("flip") == {"as it was 0 0", "flip 0 0"}
    assert len(moves("shift")) == 9
    assert len(moves("flip_shift")) == 18


def test_augmentation_hangs_on_its_generator_alone():
    first, second = augmented("flip_shift")[1], augmented("flip_shift")[1]
    assert torch.equal(first, second)
    assert not torch.equal(first, augmented("flip_shift", seed=1)[1])


# In the engine


def test_a_frozen_network_goes_on_to_the_same_bits():
    data, engine = crosses(60), TorchEngine(build_conv)
    c = Configuration(
        network="conv", image_augmentation="flip_shift", dropout=0.3, conv_width=4, epochs=4,
        batch_size=16, patience=0,
    )  # fmt: skip
    whole = engine.start(c, data, 3)
    engine.advance(whole, data, 4, GO)
    half = engine.start(c, data, 3)
    engine.advance(half, data, 2, GO)
    tensors = {**engine.snapshot(half), **engine.network(half, True).tensors()}
    thawed = engine.thaw(c, data, 3, tensors)
    engine.advance(thawed, data, 4, GO)
    for name, value in engine.network(whole, True).tensors().items():
        assert np.array_equal(value, engine.network(thawed, True).tensors()[name]), name


def test_rows_that_are_no_images_are_refused():
    data = TrainingData(*(np.zeros((4, n), np.float32) for n in (9, 2, 9, 2)), True, (0,) * 9)
    with pytest.raises(SettingError, match="these rows are none"):
        build_conv(Configuration(network="conv"), data)
