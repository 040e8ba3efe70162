"""Which engine trains what, and what is missing for it."""

from __future__ import annotations

import pytest

from modelshelf import Configuration, Space, api
from modelshelf.api import request
from modelshelf.core.errors import SettingError
from modelshelf.data.read import bundled
from modelshelf.engines.torch_.devices import Device
from modelshelf.space.defaults import FOR_POPULATIONS
from modelshelf.study import engines
from modelshelf.study.budget import Budget
from modelshelf.study.engines import POPULATION, Engines, stackable


@pytest.fixture
def gpu(monkeypatch):
    """A GPU that is found; nothing is trained on it."""
    found = Device("cuda", "a GPU")
    for place in (api, engines):
        monkeypatch.setattr(place, "find_device", lambda asked="auto": found)


def asked(**settings):
    return request(*bundled("iris"), budget=Budget.of(None, 3), **settings)


def test_the_space_for_populations_has_one_structure():
    assert stackable(Space(**FOR_POPULATIONS))
    assert not stackable(Space())


@pytest.mark.parametrize(
    ("settings", "stacked"),
    [
        ({}, False),
        ({"device": "cuda"}, True),
        ({"space": Space(**FOR_POPULATIONS)}, True),
        ({"space": {"batch_size": 64}}, False),
    ],
)
def test_a_gpu_trains_populations_where_they_share_stacks(gpu, settings, stacked):
    found = asked(**settings)
    assert found.stacked is stacked
    assert (found.workers == POPULATION) is stacked
    if stacked:
        assert stackable(found.space)


def test_without_a_gpu_nothing_is_stacked():
    assert not asked(space=Space(**FOR_POPULATIONS)).stacked
    assert not Engines("cpu", stacked=True)._stacked


@pytest.mark.parametrize("package", ["torch", "cloudpickle"])
def test_what_pytorch_needs_is_asked_for_by_name(monkeypatch, package):
    monkeypatch.setattr(engines, "find_spec", lambda name: None if name == package else object())
    with pytest.raises(SettingError, match=r"network = conv needs (PyTorch|cloudpickle), which is"):
        Engines().of(Configuration(network="conv"))
