"""Multiply-adds of an answer, against sums done by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from modelshelf.core.protocols import TrainingData
from modelshelf.engines.torch_.families.conv import build_conv
from modelshelf.engines.torch_.families.text import build_text
from modelshelf.engines.torch_.work import multiply_adds
from modelshelf.space.configuration import Configuration


def like(x, shape=()):
    y = np.zeros((len(x), 3), np.float32)
    return TrainingData(x, y, x[:0], y[:0], classes=True, shape=shape)


def test_a_convolution_is_at_work_at_every_place():
    def build(configuration, data):
        return torch.nn.Sequential(
            torch.nn.Conv2d(2, 5, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(180, 3)
        )

    data = like(np.zeros((1, 2 * 8 * 8), np.float32), (2, 8, 8))
    assert multiply_adds(build, Configuration(), data) == 6 * 6 * 5 * 2 * 9 + 180 * 3


def test_a_conv_network_is_more_work_than_it_has_parameters():
    data = like(np.zeros((1, 28 * 28), np.float32), (1, 28, 28))
    configuration = Configuration(network="conv")
    learned = sum(each.numel() for each in build_conv(configuration, data).parameters())
    assert multiply_adds(build_conv, configuration, data) > 10 * learned


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("mean", 8 * 16 + 16 * 3),
        ("conv", sum((12 + k - 1) * k * 8 * 16 for k in (3, 4, 5)) + 48 * 3),
        ("recurrent", 2 * 12 * 3 * 16 * (8 + 16) + 32 * 3),
    ],
)
def test_a_text_is_read_in_full(word, expected):
    configuration = Configuration(
        network="text", text_network=word, embedding_size=8, text_width=16
    )
    assert multiply_adds(build_text, configuration, like(np.zeros((1, 12), np.int64))) == expected
