"""Digits: four for wide ranges, and for a narrow one as many as tell its values apart."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from modelshelf.core.errors import SettingError
from modelshelf.insight.factors import factors_of
from modelshelf.space.again import space_from_json
from modelshelf.space.digits import digits_for, exactly, spacing
from modelshelf.space.domains import Real
from modelshelf.space.space import Space

NARROW = {
    "above a thousand": Real(1000.0, 1000.5),
    "long decimals": Real(0.1234567, 0.1234667),
    "near one": Real(0.999, 0.99999),
    "near one, log": Real(0.999, 0.99999, log=True),
    "below zero": Real(-1000.5, -1000.0),
    "over a power of ten": Real(0.9999, 1.0001),
    "a billion": Real(1e9, 1e9 + 1e-3),
    "small": Real(1e-7, 1.0001e-7, log=True),
}
WIDE = (
    Real(1e-4, 1e-2, log=True),
    Real(0.9, 0.999),
    Real(0.0, 0.95),
    Real(-1.0, 1.0),
    Real(-1e6, -1e3),
    Real(1, 2, log=True),
    Real(0.99, 1.98),
    Real(1e-9, 1e9, log=True),
)
UNITS = np.random.default_rng(0).random(400)


def space_of(domain: Real) -> Space:
    return Space(**{"network": "module", "module": "Net", "module.x": domain, "optimizer": "adam"})


@pytest.mark.parametrize("name", NARROW)
def test_a_narrow_range_is_searched_all_over(name):
    domain = NARROW[name]
    values = np.array([domain.from_unit([unit]) for unit in UNITS])
    assert len(set(values)) > 250
    assert domain.low <= values.min() < values.max() <= domain.high
    share = (values - domain.low) / (domain.high - domain.low)
    np.testing.assert_allclose(share, UNITS, atol=2e-3)
    assert max(len(repr(float(value))) for value in values) < 19  # no more digits than it takes


@pytest.mark.parametrize("domain", WIDE, ids=str)
def test_a_wide_range_keeps_its_four_digits(domain):
    for unit in UNITS.tolist():
        if domain.log:
            exact = math.exp(math.log(domain.low) + unit * math.log(domain.high / domain.low))
        else:
            exact = domain.low + unit * (domain.high - domain.low)
        wanted = min(max(float(f"{exact:.4g}"), domain.low), domain.high)
        assert domain.from_unit([unit]) == wanted


def test_ends_that_differ_by_a_factor_of_two_make_a_wide_range():
    rng = np.random.default_rng(1)
    for size in rng.uniform(1, 10, 2000) * 10.0 ** rng.integers(-12, 12, 2000):
        for low, high in ((size, 2 * size), (-2 * size, -size), (-size, size), (0.0, size)):
            assert digits_for(float(low), float(high), 4, 500) == 4


def test_a_range_of_one_value_is_that_value():
    assert Real(0.1234567, 0.1234567).from_unit([0.3]) == 0.1234567
    assert Real(0.0, 0.0).from_unit([0.3]) == 0.0


def test_powers_of_ten_close_their_decade():
    for power in range(-300, 300):
        assert spacing(float(f"1e{power}"), 4) == float(f"1e{power - 4}")


@pytest.mark.parametrize("name", NARROW)
def test_a_narrow_range_is_told_and_read_again_exactly(name):
    domain = NARROW[name]
    assert f"from {exactly(domain.low)} to {exactly(domain.high)}" in domain.words()
    assert {float(exactly(each)) for each in (domain.low, domain.high)} == {domain.low, domain.high}
    space = space_of(domain)
    again = space_from_json(json.loads(json.dumps(space.to_json())))
    assert again.varied["module.x"] == domain
    unit = UNITS[: space.dimensions]
    assert again.configuration(unit) == space.configuration(unit)


def test_what_lies_outside_a_narrow_range_is_refused_with_all_its_digits():
    with pytest.raises(SettingError, match=r"from 0 to 0\.9999, not 1000\.12"):
        Space(momentum=1000.12)
    told = Space(beta2=(0.999, 0.9991234567), beta1=0.1234567).words()
    assert told["beta2"] == "a number from 0.999 to 0.9991234567"
    assert told["beta1"] == "always 0.1234567"


@pytest.mark.parametrize("name", NARROW)
def test_what_a_narrow_range_did_can_be_told(name):
    (factor,) = (each for each in factors_of(space_of(NARROW[name])) if each.name == "module.x")
    assert len(factor.levels) >= 5
    assert len({each.label for each in factor.levels}) == len(factor.levels)


def test_levels_of_a_wide_range_have_two_digits():
    (rate,) = (each for each in factors_of(Space()) if each.name == "learning_rate")
    assert all(each.value == float(f"{each.value:.2g}") for each in rate.levels)
