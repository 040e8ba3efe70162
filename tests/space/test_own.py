"""Arguments of a person's own module: in configurations, barcodes and spaces."""

from __future__ import annotations

import json

import pytest

from modelshelf.core.errors import SettingError
from modelshelf.space.again import space_from_json
from modelshelf.space.configuration import Configuration
from modelshelf.space.domains import Choice, Integer, Real
from modelshelf.space.space import Space

OWN = {"network": "module", "module": "Net", "module.width": 64, "module.deep": True}


def test_own_arguments_enter_the_barcode_and_go_through_json():
    first = Configuration(**OWN)
    assert first["module.width"] == 64
    assert first["module.deep"] is True
    assert "hidden_layers" not in first
    assert "initialisation" not in first
    again = Configuration.from_json(json.loads(json.dumps(first.to_json())))
    assert again == first
    others = [
        {"module.width": 65}, {"module.width": 64.0}, {"module.deep": False}, {"module": "Other"},
    ]  # fmt: skip
    assert len({first.replace(**each).barcode for each in others} | {first.barcode}) == 5


def test_own_arguments_play_no_part_in_other_networks():
    configuration = Configuration(**{"module.width": 64})
    assert configuration.barcode == Configuration().barcode
    with pytest.raises(SettingError, match=r"module\.width plays no part here: it counts where"):
        configuration.refuse_idle()


@pytest.mark.parametrize("value", [None, float("nan"), [1.5], {"a": 1}])
def test_what_json_cannot_tell_apart_is_refused(value):
    with pytest.raises(SettingError, match=r"module\.x must be a switch, a finite number"):
        Configuration(**{"module.x": value})


def test_a_value_that_was_not_given_is_not_known():
    with pytest.raises(SettingError, match=r"module\.width was not given"):
        Configuration(network="module").value("module.width")


ENTRIES = {
    "network": "module",
    "module": "Net",
    "module.width": Integer(8, 64, log=True),
    "module.rate": (0.0, 0.5),
    "module.kind": ["gru", "lstm"],
    "module.sizes": [16, 32],
    "module.fixed": 3,
}


def test_a_space_of_own_arguments():
    space = Space(**ENTRIES)
    assert space.varied["module.width"] == Integer(8, 64, log=True)
    assert space.varied["module.rate"] == Real(0.0, 0.5)
    assert space.varied["module.kind"] == Choice(("gru", "lstm"))
    assert space.varied["module.sizes"] == Choice((16, 32))
    assert "hidden_layers" not in space.general
    assert space.known == ()
    found = space.configuration([0.3] * space.dimensions)
    assert found in space
    assert found["module.fixed"] == 3
    assert space.configuration(space.vector(found)) == found
    assert space_from_json(space.to_json()).to_json() == space.to_json()


def test_a_configuration_without_the_arguments_lies_outside():
    assert Space(**ENTRIES).restrict(Configuration(learning_rate=0.01)) is None


def test_a_range_of_own_numbers_begins_with_the_lowest():
    with pytest.raises(SettingError, match=r"module\.rate must be the lowest value first"):
        Space(**{**ENTRIES, "module.rate": (0.5, 0.1)})
