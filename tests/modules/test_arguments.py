"""A module's signature as a space: what is searched, fixed, filled, and refused in words."""

from __future__ import annotations

import functools
from typing import Annotated

import numpy as np
import pytest
import torch
from torch import nn

from modelshelf import Choice, Integer, Real, Space, UserError
from modelshelf.core.protocols import TrainingData
from modelshelf.space.configuration import Configuration
from modelshelf.study.modules import declare
from tests.modules.nets import LittleNet, Net, SimpleNN, TwoLayerNet, stacked

X = np.zeros((4, 5), np.float32)
DATA = TrainingData(X, np.zeros((4, 3), np.float32), X, np.zeros((4, 3), np.float32), classes=True)


def own_parts(space):
    return {name: part for name, part in space.words().items() if name.startswith("module.")}


def test_annotations_are_searched_and_defaults_are_fixed():
    space, own = declare(Net).space(None)
    assert own.name == "Net"
    assert own_parts(space) == {
        "module.width": "a whole number from 4 to 32",
        "module.rate": "a number from 0 to 0.5",
        "module.act": "one of relu, tanh",
        "module.bias": "one of False, True",
        "module.step": "one of 1, 2",
        "module.scale": "always 1",
    }
    assert "learning_rate" in space.varied  # training is searched as usual


def test_defaults_are_tried_early():
    space, _ = declare(Net).space(None)
    first = space.known[0]
    assert (first["module.width"], first["module.act"], first["module.rate"]) == (8, "relu", 0.1)
    space, _ = declare(Net).space({"width": (16, 32)})
    assert not space.known  # the default is no longer inside


def test_what_is_open_is_filled_from_the_data():
    configuration, own = declare(Net).configuration({"width": 7})
    module = own.build(configuration, DATA)
    assert module.first.weight.shape == (7, 5)
    assert module.last.weight.shape == (3, 7)
    assert module.device is None  # a default that no hyperparameter can have is left alone


def test_a_space_says_what_is_searched_and_overrules():
    given = {"H": (8, 128), "D_in": 5, "D_out": 3, "epochs": 4, "learning_rate": (1e-3, 1e-2)}
    space, own = declare(TwoLayerNet).space(given)
    assert space.fixed["module.D_in"] == 5
    assert space.varied["module.H"] == Integer(8, 128)
    assert space.fixed["epochs"] == 4
    made = space.configuration([0.5] * space.dimensions)
    assert own.build(made, DATA).linear1.in_features == 5
    again, _ = declare(TwoLayerNet).space(
        Space(**{"module.H": [8, 16], "module.D_in": 5, "module.D_out": 3})
    )
    assert again.varied["module.H"] == Choice((8, 16))


def test_a_range_stays_within_the_annotation():
    space, _ = declare(Net).space({"module.width": [8, 16], "rate": 0.25})  # as TOML has ranges
    assert space.varied["module.width"] == Integer(8, 16, log=True)
    assert space.fixed["module.rate"] == 0.25
    with pytest.raises(UserError, match=r"argument width must be a whole number from 4 to 32"):
        declare(Net).space({"width": (8, 64)})


def both(inputs, outputs, dropout: Annotated[float, Real(0.0, 0.5)] = 0.1):
    return nn.Linear(inputs, outputs)


def placed(width, /):
    return nn.Linear(width, 2)


def anything(**settings):
    return nn.Linear(settings["inputs"], settings["width"])


class NoModule:
    pass


@pytest.mark.parametrize(
    ("module", "space", "told"),
    [
        (TwoLayerNet, {"D_in": 5}, r"TwoLayerNet needs H, D_out: say in the space"),
        (TwoLayerNet, {"D_in": 5, "D_out": 1, "h": 3}, r"no argument 'h'.*did you mean 'H'"),
        (Net, {"module.widht": 3}, r"no argument 'widht'.*did you mean 'width'"),
        (Net, {"width": 8, "module.width": 9}, r"module.width is given twice"),
        (both, {"dropout": 0.2}, r"dropout is an argument of both, and .* write module.dropout"),
        (Net, {"network": "conv"}, r"a module of your own is given: leave both out"),
        (Net, {"act": "gelu"}, r"argument act must be one of relu, tanh, not 'gelu'"),
        (placed, {}, r"placed takes width by its place alone"),
        (nn.Sequential, {}, r"Sequential takes \*args alone"),
        (NoModule, {}, r"the class NoModule, which is no torch.nn.Module"),
        (7, {}, r"module is 7: expected a class"),
        ("nets.py", {}, r"expected file.py:NAME"),
        ("none.py:Net", {}, r"cannot be read"),
        (Net, 3, r"The space is 3"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_in_words(module, space, told):
    with pytest.raises(UserError, match=told):
        declare(module).space(space)


def test_the_argument_is_meant_where_it_is_said():
    space, _ = declare(both).space({"module.dropout": (0.1, 0.2)})
    assert space.varied["module.dropout"] == Real(0.1, 0.2)


def test_functions_of_any_settings_and_partial_ones():
    space, own = declare(anything).space({"width": (2, 4), "inputs": 5})
    assert set(own_parts(space)) == {"module.width", "module.inputs"}
    assert own.build(space.configuration([0.1] * space.dimensions), DATA).in_features == 5
    space, _ = declare(functools.partial(TwoLayerNet, D_in=5, D_out=3)).space({"H": 8})
    assert space.fixed["module.D_in"] == 5


def test_a_file_is_executed_and_its_class_taken(tmp_path):
    (tmp_path / "helper_beside.py").write_text("WIDTH = 6\n")
    (tmp_path / "mine.py").write_text(
        "from torch import nn\nfrom helper_beside import WIDTH\n"
        "def make(inputs, outputs): return nn.Linear(WIDTH, outputs)\n"
    )
    declared = declare(f"{tmp_path}/mine.py:make")
    configuration, own = declared.configuration({})
    assert own.build(configuration, DATA).in_features == 6
    with pytest.raises(UserError, match=r"has no 'made': did you mean 'make'"):
        declare(f"{tmp_path}/mine.py:made")
    (tmp_path / "mine.py").write_text("1 / 0\n")
    with pytest.raises(UserError, match=r"fails: ZeroDivisionError"):
        declare(f"{tmp_path}/mine.py:make")


def test_other_code_is_another_question():
    first, second = declare(Net), declare(TwoLayerNet)
    assert first.mark != second.mark
    assert (
        declare(nn.Sequential(nn.Linear(5, 3))).name
        != declare(nn.Sequential(nn.Linear(5, 4), nn.Linear(4, 3))).name
    )


class Scaled(nn.Module):
    def __init__(self, alpha=0.5):
        super().__init__()
        self.alpha, self.inner = alpha, nn.LSTM(5, 3)

    def forward(self, x):
        return self.inner(x)[0] * self.alpha


def typed(text, *names):
    """What was typed in, as at a prompt: without a source."""
    space = {"nn": nn, "__name__": "__main__"}
    exec(text, space)
    return [space[each] for each in names]


def closed_over(width):
    return lambda inputs, outputs: nn.Linear(inputs, width)


NET = "class Net(nn.Module):\n def __init__(self):\n  super().__init__()\n  self.last = {}\n"
MAKE = "def make(inputs, outputs):\n  return part(WIDTH)\n"
PART = "WIDTH = {}\ndef part(width):\n  return nn.Linear(width, {})\n"


def test_what_code_hangs_on_is_another_question_too():
    assert declare(Scaled()).mark == declare(Scaled()).mark  # weights are drawn anew
    assert declare(Scaled()).mark != declare(Scaled(0.9)).mark
    assert declare(closed_over(2)).mark == declare(closed_over(2)).mark
    assert declare(closed_over(2)).mark != declare(closed_over(3)).mark
    made = functools.partial(TwoLayerNet, D_in=5)
    assert declare(made).mark != declare(functools.partial(TwoLayerNet, D_in=6)).mark
    for text, ways, name in (
        (NET, (("nn.Linear(5, 3)",), ("nn.Linear(5, 4)",)), "Net"),
        (PART + MAKE, ((5, 3), (5, 4), (6, 3)), "make"),
    ):
        marks = [declare(*typed(text.format(*each), name)).mark for each in (ways[0], *ways)]
        assert marks[0] == marks[1]
        assert len(set(marks)) == len(ways)


def test_other_code_of_an_instances_class_is_another_question():
    marks = set()
    for word in ("relu", "tanh"):
        (kind,) = typed(
            NET.format("nn.Linear(5, 3)")
            + f" def forward(self, x):\n  return self.last(x).{word}()\n",
            "Net",
        )
        marks.add(declare(kind()).mark)
    assert len(marks) == 2


def test_an_instance_is_copied_and_drawn_anew():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 3))
    before = module[0].weight.detach().clone()
    configuration, own = declare(module).configuration({})
    made = own.build(configuration, DATA)
    assert not torch.equal(made[0].weight, before)
    assert torch.equal(module[0].weight, before)
    strange = SimpleNN()
    strange.scale = nn.Parameter(torch.ones(1))
    with pytest.raises(UserError, match=r"cannot be drawn anew .* it \(SimpleNN\)"):
        declare(strange)


def test_arguments_enter_the_barcode():
    one, _ = declare(stacked).configuration({"width": 16})
    two, _ = declare(stacked).configuration({"width": 17})
    assert one.barcode != two.barcode
    assert one == Configuration.from_json(one.to_json())
    assert declare(LittleNet).configuration({})[0]["module.maps"] == 6
