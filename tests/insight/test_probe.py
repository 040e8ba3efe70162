"""Levels of a probe, and what it says of planted runs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from modelshelf.core.errors import SettingError
from modelshelf.core.records import Task
from modelshelf.insight.figures.probe import probe_figure
from modelshelf.insight.grid import SHAPES, levels_around
from modelshelf.insight.probe import Probe, Run, Verdict, probed
from modelshelf.space.catalogue import CATALOGUE
from modelshelf.space.configuration import Configuration

#: What brings a hyperparameter into play, where the defaults do not.
NEEDS = {
    "negative_slope": {"activation": "leaky_relu"},
    "momentum": {"optimizer": "momentum"},
    "rho": {"optimizer": "rmsprop"},
    "interval": {"loss": "quantile"},
    "huber_delta": {"loss": "huber"},
    "scale_lr_factor": {"input_scale": "yes"},
    "activation_lr_factor": {"parametric_activation": "yes"},
    "weight_decay": {"optimizer": "adamw"},
    "decay_by_factor": {"optimizer": "adamw"},
    "regularisation_schedule": {"dropout": 0.1},
    "encoding_bins": {"numeric_encoding": "piecewise"},
    "periodic_features": {"numeric_encoding": "periodic"},
    "periodic_sigma": {"numeric_encoding": "periodic"},
    "encoding_size": {"numeric_encoding": "periodic"},
    "encoding_lr_factor": {"numeric_encoding": "periodic"},
    "max_one_hot": {"category_embedding": 8},
    **{name: {"network": "conv"} for name, h in CATALOGUE.items() if h.group == "images"},
    **{name: {"text": "bag"} for name, h in CATALOGUE.items() if h.group == "text"},
    "text": {},
    "bpe_size": {"text": "bag", "tokeniser": "bpe"},
    "character_ngrams": {"text": "bag", "tokeniser": "characters"},
    "text_size": {"text": "embedding"},
    "text_network": {"network": "text"},
    "text_length": {"network": "text"},
    "text_width": {"network": "text"},
    "embedding_size": {"network": "text"},
}
NUMBERS = ("interval", "huber_delta", "clamp_output")


def around(name, rows=20_000, **settings):
    task = Task.REGRESSION if name in NUMBERS else Task.BINARY
    base = Configuration(**{**NEEDS.get(name, {}), **settings}).for_task(task)
    return levels_around(name, base, task, rows=rows)


_VARIED = sorted((set(CATALOGUE) - {"hidden_layers", "module"}) | set(SHAPES))


@pytest.mark.parametrize("name", _VARIED)
def test_every_hyperparameter_can_be_varied_around_a_network(name):
    levels = around(name)
    assert 2 <= len(levels) <= 10
    assert sum(each.own for each in levels) == 1
    assert len({each.configuration.barcode for each in levels}) == len(levels)
    positions = [each.position for each in levels if each.position is not None]
    assert positions == sorted(positions)
    off = CATALOGUE[name].off if name in CATALOGUE else None
    if off is not None:
        assert off in {each.value for each in levels}
    own = next(each for each in levels if each.own).configuration
    for each in levels:
        if name not in SHAPES:
            rest = {k for k in own if k != name} & set(each.configuration)
            assert all(own[k] == each.configuration[k] for k in rest)


def test_off_stands_where_it_belongs():
    assert around("patience")[-1].label == "0 (off)"
    assert around("dropout")[0].label == "0 (off)"


def test_shapes_keep_what_they_are_not_about():
    widths = {each.value: each.configuration.hidden_layers for each in around("width",
              hidden_layers=(64, 32))}  # fmt: skip
    assert widths[64] == (64, 32)
    assert widths[128] == (128, 64)
    depths = {each.value: each.configuration.hidden_layers for each in around("depth",
              hidden_layers=(64, 16))}  # fmt: skip
    assert depths[2] == (64, 16)
    assert depths[3] == (32, 32, 32)
    assert depths[0] == ()


def test_batches_are_no_larger_than_the_rows():
    assert max(each.value for each in around("batch_size", rows=100)) <= 100


@pytest.mark.parametrize(
    ("name", "settings", "said"),
    [
        ("momentum", {}, "--set optimizer=momentum"),
        ("weight_decay", {}, "--set optimizer=adamw"),
        ("dropout", {"hidden_layers": ()}, "there are hidden layers"),
        ("width", {"hidden_layers": ()}, "no hidden layers"),
        ("learnign_rate", {}, "did you mean 'learning_rate'"),
        ("hidden_layers", {}, "depth"),
        ("clamp_output", {"loss": "cross_entropy"}, "nothing to vary"),
    ],
)
def test_what_cannot_be_varied_says_what_to_do(name, settings, said):
    with pytest.raises(SettingError, match=said):
        levels_around(name, Configuration(**settings), Task.BINARY, rows=100)


def test_values_are_taken_as_they_are_given():
    base = Configuration()
    found = levels_around("learning_rate", base, Task.BINARY, rows=100, values=["0.1", 0.01])
    assert [each.value for each in found] == [0.01, 0.1]
    with pytest.raises(SettingError, match="needs numbers"):
        levels_around("loss", base, Task.BINARY, rows=10, values=["quadratic", "huber"])
    with pytest.raises(SettingError, match="two values"):
        levels_around("dropout", base, Task.BINARY, rows=10, values=[0.1, 0.1])
    with pytest.raises(SettingError, match="dropout must be a number"):
        levels_around("dropout", base, Task.BINARY, rows=10, values=["much", 0.1])


# -- verdicts ---------------------------------------------------------------------------------


def rates(count=5):
    values = [10.0**-k for k in range(count, 0, -1)]
    return levels_around("learning_rate", Configuration(), Task.BINARY, rows=100, values=values)


def runs(effects, seeds=3, diverged=()):
    rng = np.random.default_rng(1)
    rows = rng.gamma(2.0, 0.15, 500)
    made = []
    for k in range(seeds):
        for at, effect in enumerate(effects):
            gone = (at, k) in diverged
            losses = rows * effect * np.exp(0.01 * rng.normal())
            made.append(Run(at, k, gone, 20, 0 if gone else 10, 0.1 * (at + 1), 0.9, 0.2, 0.3, 0.6,
                            100, np.zeros(0) if gone else losses))  # fmt: skip
    return made


def probe_of(points, seeds=3, ordered=True):
    return Probe("AAAA", "s", "learning_rate", ordered, "0.001", {}, "log loss", "accuracy", True,
                 seeds, 100, 50, points, 15, 0, 1.0)  # fmt: skip


def test_verdicts_are_those_that_were_planted():
    levels = rates()
    points = probed(levels, runs([3.0, 1.0, 1.005, 2.0, 1.0],
                                 diverged={(4, 0), (4, 1)}), 3)  # fmt: skip
    assert [each.verdict for each in points] == [
        Verdict.TOO_LOW, Verdict.GOOD, Verdict.GOOD, Verdict.TOO_HIGH, Verdict.DIVERGES,
    ]  # fmt: skip
    assert points[4].diverged == 2
    said = " ".join(probe_of(points).sentences)
    assert "Good: from 0.0001 to 0.001" in said
    assert "At 0.1, 2 of 3 networks diverged" in said
    assert "Too low: 1e-05 (3.0" in said


def test_the_last_epoch_is_held_against_the_best_of_the_same_curve():
    """With `mae` networks are compared by absolute errors, while curves hold squared ones."""
    said = " ".join(probe_of(probed(rates(), runs([3.0, 1.0, 1.0, 2.0, 9.0]), 3)).sentences)
    assert "would have been 2.00 times as high" in said
    still = [replace(each, last_loss=each.kept_loss) for each in runs([3.0, 1.0, 1.0, 2.0, 9.0])]
    assert "last epoch" not in " ".join(probe_of(probed(rates(), still, 3)).sentences)


def test_equal_values_are_no_difference():
    points = probed(rates(), runs([1.0, 1.0, 1.001, 1.0, 0.999]), 3)
    assert {each.verdict for each in points} == {Verdict.NO_DIFFERENCE}
    assert "No difference was found" in probe_of(points).sentences[0]


def test_what_is_unclear_is_not_called_worse():
    noisy = runs([3.0, 1.0, 3.0, 3.0, 1.0])
    wild = [replace(each, losses=each.losses * 3.0**each.seed) if each.level == 4 else each
            for each in noisy]  # fmt: skip
    points = probed(rates(), wild, 3)
    assert points[4].verdict is Verdict.UNCLEAR
    assert probe_of(points).sentences[0] == "Good: 0.0001."
    alone = probed(rates(), runs([3.0, 1.0, 3.0, 3.0, 3.0]), 3)
    assert "every other value is worse" in probe_of(alone).sentences[0]


def test_one_seed_cannot_tell():
    points = probed(rates(), runs([3.0, 1.0, 1.0, 2.0, 1.0], seeds=1), 1)
    assert {each.verdict for each in points} == {Verdict.UNCLEAR}
    assert "Too few networks" in probe_of(points, 1).sentences[0]


def test_words_have_no_order():
    levels = levels_around("optimizer", Configuration(), Task.BINARY, rows=10,
                           values=["adam", "sgd", "rmsprop"])  # fmt: skip
    points = probed(levels, runs([1.0, 2.0, 1.0]), 3)
    assert [each.verdict for each in points] == [Verdict.GOOD, Verdict.WORSE, Verdict.GOOD]
    said = probe_of(points, ordered=False).sentences
    assert said[0].startswith("Good: adam, rmsprop")


def test_all_diverged_is_said():
    every = {(at, k) for at in range(5) for k in range(3)}
    points = probed(rates(), runs([1.0] * 5, diverged=every), 3)
    assert {each.verdict for each in points} == {Verdict.DIVERGES}
    assert "Every network diverged" in probe_of(points).sentences[0]


def test_the_figure_draws_the_record():
    points = probed(rates(), runs([3.0, 1.0, 1.0, 2.0, 9.0]), 3)
    figure = probe_figure(probe_of(points))
    drawn = next(each for each in figure.data if each.name == "validation loss")
    assert list(drawn.y) == [each.loss for each in points]
    assert len(figure.layout.shapes) == 5
    assert figure.layout.xaxis.ticktext[0] == "1e-05<br>too low"
