from __future__ import annotations

import pytest

from modelshelf.core.errors import SettingError
from modelshelf.core.records import Task
from modelshelf.space.catalogue import CATALOGUE
from modelshelf.space.configuration import Configuration
from modelshelf.space.space import Space


def test_entries_narrow_choose_and_fix():
    space = Space(
        learning_rate=(1e-4, 1e-2),
        optimizer=["adam", "sgd"],
        batch_size=(32, 64, 128),
        hidden_layers={"depth": (2, 3)},
        dropout=0.1,
        activation="tanh",
    )
    for point in (0.0, 0.3, 0.999):
        configuration = space.configuration([point] * space.dimensions)
        assert 1e-4 <= configuration.number("learning_rate") <= 1e-2
        assert configuration["optimizer"] in ("adam", "sgd")
        assert configuration["batch_size"] in (32, 64, 128)
        assert 2 <= len(configuration.hidden_layers) <= 3
        assert configuration["dropout"] == 0.1
        assert configuration["activation"] == "tanh"


def test_widths_are_one_value_or_several():
    assert Space(hidden_layers=[64, 32]).fixed["hidden_layers"] == (64, 32)
    several = Space(hidden_layers=[[64], [32, 32]])
    seen = {several.configuration([u] * several.dimensions).hidden_layers for u in (0.1, 0.9)}
    assert seen == {(64,), (32, 32)}


def test_a_number_is_learned_by_squared_error():
    space = Space().for_task(Task.REGRESSION)
    assert space.configuration([0.5] * space.dimensions)["loss"] == "quadratic"
    assert Configuration().for_task(Task.REGRESSION)["loss"] == "quadratic"
    with pytest.raises(SettingError, match="needs classes"):
        Configuration(loss="cross_entropy").for_task(Task.REGRESSION)


def test_restrict_keeps_what_lies_inside_and_fixes_the_rest():
    space = Space(dropout=0.2, learning_rate=(1e-4, 1e-2))
    inside = space.restrict(Configuration(learning_rate=1e-3))
    assert inside is not None
    assert inside["dropout"] == 0.2
    assert space.restrict(Configuration(learning_rate=0.5)) is None


def test_a_file_says_the_same_as_the_constructor(tmp_path):
    path = tmp_path / "space.toml"
    lines = ("learning_rate = [1e-4, 1e-2]", 'optimizer = ["adam"]', "hidden_layers = [64, 32]")
    path.write_text("\n".join(lines))
    made = Space(learning_rate=(1e-4, 1e-2), optimizer=["adam"], hidden_layers=[64, 32])
    assert Space.from_file(path).to_json() == made.to_json()


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        ({"lerning_rate": 1}, "did you mean 'learning_rate'"),
        ({"learning_rate": (1, 0.1)}, "the lowest value first"),
        ({"learning_rate": (0, 0.1)}, "a range above 0"),
        ({"optimizer": ["adam", "adam2"]}, "not 'adam2'"),
        ({"dropout": (0.1, 0.2, 0.3)}, r"\(lowest, highest\)"),
        ({"hidden_layers": {"dept": (1, 2)}}, "depth = "),
    ],
)
def test_a_wrong_entry_is_refused_in_words(entries, told):
    with pytest.raises(SettingError, match=told):
        Space(**entries)


def test_a_file_that_is_no_space_is_refused(tmp_path):
    path = tmp_path / "space.toml"
    with pytest.raises(SettingError, match="cannot be read"):
        Space.from_file(path)
    path.write_text("learning_rate: 3")
    with pytest.raises(SettingError, match="not TOML"):
        Space.from_file(path)


def test_every_declaration_is_whole():
    for name, each in CATALOGUE.items():
        assert each.name == name
        assert each.domain.check(each.default) == each.default
        assert each.meaning.endswith(".")
        assert each.too_little
        assert each.too_much
        assert each.source
        if each.off is not None:
            assert each.domain.check(each.off) == each.off


def test_a_condition_names_all_that_it_looks_at():
    for h in CATALOGUE.values():
        if h.condition is None:
            continue
        for everything in (True, False):  # whether the others are on, so that `or` and `and` go on
            probe = _Probe(everything)
            h.condition.holds(probe)
            assert probe.seen <= set(h.condition.names), h.name


class _Probe(dict):
    """Active settings that remember who asked for what."""

    def __init__(self, everything):
        super().__init__({n: h.default for n, h in CATALOGUE.items()} if everything else {})
        self.setdefault("hidden_layers", ())
        self.seen = set()

    def __getitem__(self, name):
        self.seen.add(name)
        return super().__getitem__(name)

    def get(self, name, default=None):
        self.seen.add(name)
        return super().get(name, default)

    def __contains__(self, name):
        self.seen.add(name)
        return super().__contains__(name)
