"""Convolutional networks: stages of convolutions that halve the image, and one layer that decides.

A stage is a convolution, pooling, normalisation, activation; then more convolutions of that size.
Pooling comes before what goes over every pixel: on a CPU that takes most of the time.
"""

from __future__ import annotations

import math

import torch
from torch import nn

from modelshelf.core.errors import SettingError
from modelshelf.core.protocols import TrainingData
from modelshelf.space.configuration import Configuration

__all__ = ["ConvNet", "build_conv"]

_SHIFT = 12  # an image is shifted by up to its size divided by this


def build_conv(configuration: Configuration, data: TrainingData) -> ConvNet:
    """The network of a configuration, for images like these.

    Raises `SettingError` where rows are no images.
    """
    if len(data.shape) != 3:
        raise SettingError("network = conv reads images, and these rows are none: use dense.")
    return ConvNet(configuration, data.shape, data.outputs)


class ConvNet(nn.Module):
    """Answers images (rows, channels, height, width) with logits or numbers (rows, outputs)."""

    def __init__(self, c: Configuration, shape: tuple[int, ...], outputs: int) -> None:
        super().__init__()
        channels, height, width = shape
        stages: list[nn.Module] = []
        most = max(int(math.log2(min(height, width))), 0)  # so that a pixel is left
        wide = c.whole("conv_width")
        for _ in range(min(c.whole("conv_stages"), most)):
            stages.append(_Step(c, channels, wide, halves=True))
            stages += (_Step(c, wide, wide) for _ in range(c.whole("conv_blocks") - 1))
            channels, wide = wide, 2 * wide
            height, width = -(-height // 2), -(-width // 2)
        self.stages = nn.Sequential(*stages)
        self.head, places = _head(c.word("conv_head"), height * width)
        self.dropout = nn.Dropout(c.number("dropout") if "dropout" in c else 0.0)
        self.out = nn.Linear(channels * places, outputs)
        self._moves = c.word("image_augmentation")

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits, or numbers."""
        return self.out(self.dropout(self.head(self.stages(x)).flatten(1)))

    def augment(self, x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Training images (rows, channels, height, width), some of them mirrored, all shifted."""
        if "flip" in self._moves:
            mirrored = torch.rand(len(x), 1, 1, 1, generator=generator, device=x.device) < 0.5
            x = torch.where(mirrored, x.flip(3), x)
        if "shift" in self._moves:
            x = _shifted(x, generator)
        return x


class _Step(nn.Module):
    """A convolution with what belongs to it; it may halve the image, or have a shortcut."""

    def __init__(self, c: Configuration, channels: int, wide: int, halves: bool = False) -> None:
        super().__init__()
        kernel, pooling = c.whole("conv_kernel"), c.word("conv_pooling") if halves else ""
        normed = c.word("conv_norm") == "batch"
        self.conv = nn.Conv2d(
            channels,
            wide,
            kernel,
            stride=2 if pooling == "stride" else 1,
            padding=kernel // 2,
            bias=not normed,
        )
        self.pool = _pool(pooling)
        self.norm = nn.BatchNorm2d(wide) if normed else nn.Identity()
        self.activation = _activation(c)
        self.adds = not halves and "conv_shortcut" in c

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found = self.norm(self.pool(self.conv(x)))
        return self.activation(found + x if self.adds else found)


def _pool(pooling: str) -> nn.Module:
    if pooling == "max":
        return nn.MaxPool2d(2, ceil_mode=True)
    if pooling == "average":
        return nn.AvgPool2d(2, ceil_mode=True)
    return nn.Identity()


def _head(word: str, places: int) -> tuple[nn.Module, int]:
    """What joins the places of the last stage, and how many numbers it leaves of a channel."""
    if word == "flatten":
        return nn.Identity(), places
    return (nn.AdaptiveAvgPool2d(1) if word == "average" else nn.AdaptiveMaxPool2d(1)), 1


def _activation(c: Configuration) -> nn.Module:
    found: dict[str, nn.Module] = {
        "relu": nn.ReLU(),
        "leaky_relu": nn.LeakyReLU(c.number("negative_slope")),
        "tanh": nn.Tanh(),
        "sigmoid": nn.Sigmoid(),
        "gelu": nn.GELU(),
        "silu": nn.SiLU(),
        "mish": nn.Mish(),
        "selu": nn.SELU(),
    }
    return found[c.word("activation")]


def _shifted(x: torch.Tensor, draw: torch.Generator) -> torch.Tensor:
    """Each image moved by some pixels down and right, or up and left; edges are repeated."""
    rows, _, height, width = x.shape
    places = []
    for size in (height, width):
        most = max(size // _SHIFT, 1)
        moved = torch.randint(-most, most + 1, (rows, 1), generator=draw, device=x.device)
        places.append((torch.arange(size, device=x.device) + moved).clamp(0, size - 1))
    row = torch.arange(rows, device=x.device)[:, None, None]
    # Channels last: a pixel is one run of memory.
    found = x.permute(0, 2, 3, 1)[row, places[0][:, :, None], places[1][:, None, :]]
    return found.permute(0, 3, 1, 2)
