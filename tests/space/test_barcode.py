from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from modelshelf.core.errors import BarcodeError, SettingError
from modelshelf.space.barcode import barcode_of, canonical, clean, stripes, svg
from modelshelf.space.catalogue import CATALOGUE
from modelshelf.space.configuration import Configuration
from modelshelf.space.domains import Choice, Integer, Real
from modelshelf.space.own import Name
from modelshelf.space.space import Space

GOLDEN = json.loads((Path(__file__).parent / "golden_barcodes.json").read_text())


def value_of(hyperparameter):
    """Any value of a hyperparameter's domain."""
    domain = hyperparameter.domain
    if isinstance(domain, Real):
        return st.floats(domain.low, domain.high)
    if isinstance(domain, Integer):
        return st.integers(domain.low, domain.high)
    if isinstance(domain, Choice):
        return st.sampled_from(domain.values)
    if isinstance(domain, Name):
        return st.sampled_from(["Net", "build", "my.models.Büro"])
    return st.lists(st.integers(1, 300), max_size=4).map(tuple)


settings_of = st.fixed_dictionaries({}, optional={n: value_of(h) for n, h in CATALOGUE.items()})


@given(settings_of, st.randoms())
def test_the_order_of_settings_does_not_matter(settings, random):
    names = list(settings)
    random.shuffle(names)
    shuffled = {name: settings[name] for name in names}
    assert Configuration(**shuffled).barcode == Configuration(**settings).barcode


@given(settings_of, st.data())
def test_any_active_setting_changes_the_barcode(settings, data):
    first = Configuration(**settings)
    name = data.draw(st.sampled_from(sorted(first)))
    value = data.draw(value_of(CATALOGUE[name]))
    second = first.replace(**{name: value})
    if (second.word("network"), name, value) == ("text", "tokeniser", "words+characters"):
        value = "words"  # to which it gives way
    assert (second.barcode == first.barcode) == (value == first[name])


def test_a_word_that_a_text_network_cannot_have_gives_way_to_the_usual_one():
    both = Configuration(network="text", tokeniser="words+characters")
    assert both == Configuration(network="text", tokeniser="words")
    assert both.word("tokeniser") == "words"
    with pytest.raises(SettingError, match="tokeniser plays no part"):
        both.refuse_idle()
    bagged = both.replace(network="dense", text="bag")
    assert bagged.word("tokeniser") == "words+characters", "what was given is forgotten"


@given(settings_of)
@example({"network": "text", "tokeniser": "words+characters"})
def test_a_configuration_goes_through_json(settings):
    first = Configuration(**settings)
    again = Configuration.from_json(json.loads(json.dumps(first.to_json())))
    assert again == first
    assert again.barcode == first.barcode
    assert dict(again) == dict(first)


@given(settings_of)
def test_what_is_inactive_leaves_no_trace(settings):
    configuration = Configuration(**settings)
    if configuration["optimizer"] == "adam":
        assert configuration.replace(momentum=0.123).barcode == configuration.barcode
    if configuration.number("dropout") == 0:
        assert '"dropout"' not in canonical(configuration)


def test_what_hangs_on_an_inactive_setting_is_inactive_too():
    configuration = Configuration(hidden_layers=(), activation="leaky_relu", negative_slope=0.2)
    assert "activation" not in configuration
    assert configuration.barcode == Configuration(hidden_layers=()).barcode


def test_types_are_told_apart_by_the_domain_and_not_by_accident():
    assert Configuration(learning_rate=1).barcode == Configuration(learning_rate=1.0).barcode
    assert Configuration(batch_size=64.0).barcode == Configuration(batch_size=64).barcode
    assert Configuration(dropout=-0.0).barcode == Configuration(dropout=0).barcode
    assert Configuration(hidden_layers=64).barcode == Configuration(hidden_layers="64").barcode


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda g: g["barcode"])
def test_barcodes_of_old_versions_keep_resolving(golden):
    assert Configuration.from_json(golden["settings"]).barcode == golden["barcode"]


def test_a_typed_barcode_is_read_kindly():
    barcode = Configuration().barcode
    assert clean(barcode.lower()) == barcode
    assert clean(barcode.replace("-", "")) == barcode
    assert clean("o1il") == "0111"
    for wrong in ("", "7QK4-9XPD-2M0A-VB3T-0", "no good!", "é", "../x"):
        with pytest.raises(BarcodeError, match="expected up to 16 letters"):
            clean(wrong)


def test_the_drawn_form_has_a_stripe_for_each_active_setting():
    configuration = Configuration(dropout=0.3)
    drawn = svg(configuration)
    root = ElementTree.fromstring(drawn)
    assert len(root.findall(".//{*}rect")) == len(configuration) == len(stripes(configuration))
    assert configuration.barcode in drawn
    assert all(0 <= s.position <= 1 for s in stripes(configuration))


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"learnin_rate": 1}, "did you mean 'learning_rate'"),
        ({"learning_rate": -1}, "from 0 to 1000, not -1"),
        ({"learning_rate": "fast"}, "not 'fast'"),
        ({"learning_rate": float("nan")}, "not nan"),
        ({"batch_size": 2.5}, "a whole number"),
        ({"batch_size": True}, None),
        ({"optimizer": "adamv"}, "one of sgd, momentum, rmsprop, adam, nesterov"),
        ({"hidden_layers": [0]}, "hidden_layers must be"),
        ({"hidden_layers": {"a": 1}}, "hidden_layers must be"),
    ],
)
def test_what_is_out_of_its_domain_is_refused_in_words(settings, told):
    if told is None:
        assert Configuration(**settings).whole("batch_size") == 1
        return
    with pytest.raises(SettingError, match=told):
        Configuration(**settings)


@given(st.data())
def test_every_point_of_the_cube_is_a_configuration_of_the_space(data):
    space = Space()
    unit = [data.draw(st.floats(0, 1, exclude_max=True)) for _ in range(space.dimensions)]
    configuration = space.configuration(unit)
    assert barcode_of(configuration) == configuration.barcode
    assert space.restrict(configuration) == configuration
    assert configuration in space
