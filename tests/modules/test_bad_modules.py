"""What a module does wrong is told in words; the study goes on where it can."""

from __future__ import annotations

import numpy as np
import pytest

from modelshelf import Shelf, UserError, tune
from modelshelf.core.records import Purpose, Status
from tests.modules.nets import Odd

#: What goes wrong, by what the study then says. Whatever has no word here is trained.
TOLD = {
    "wrong shape": r"The module Odd gave shape \(2, 3\), for 2 rows of shape \(3,\): give logits",
    "no parameters": r"The module Odd has no parameters to learn",
    "raises when built": r"ValueError: no such width",
    "raises": r"RuntimeError: no such row \(nets\.py:\d+ in _raise, in epoch 1\)",
    "exit": r"The module called exit\(3\)",
    "hangs": r"gave no sign of life for 3 s in epoch \d",
    "killed": r"was killed \(SIGKILL\).*\(in epoch \d",
    "no tensor": r"The module Odd gave a list, not a tensor",
    "detached": r"does not depend on its parameters",
    "nan": r"diverged",
}
FINE = ("prints", "forks", "global state", "default dtype")


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 3)).astype("float32")
    return x, (x[:, 0] > 0).astype(int)


def run(rows, place, ways, **more):
    space = {
        "way": ways,
        "late": more.pop("late", 0),
        "epochs": 15,
        "batch_size": 16,
        "optimizer": "adam",
    }
    return tune(
        *rows, module=Odd, space=space, trials=more.pop("trials", 10), test=0, folds=2,
        shelf=place, hang_seconds=3.0 if ways == "hangs" else 60.0, study="odd", **more,
    )  # fmt: skip


@pytest.mark.slow  # each failure starts a process anew
@pytest.mark.parametrize("way", TOLD)
def test_if_all_fail_alike_the_study_ends_with_that_reason(rows, tmp_path, way):
    with pytest.raises(UserError, match=TOLD[way]):
        run(rows, tmp_path, way, trials=40)
    with Shelf.open(tmp_path) as shelf:
        trials = shelf.trials("odd")
    known = (Status.FAILED, Status.DIVERGED, Status.RUNNING)  # what was broken off is done again
    assert all(each.status in known for each in trials)
    if way != "nan":
        assert 6 <= len([each for each in trials if each.reason]) < 20
        assert not any("Traceback" in each.reason for each in trials)


@pytest.fixture(scope="module")
def mixed(rows, tmp_path_factory):
    place = tmp_path_factory.mktemp("mixed")
    return run(rows, place, ["fine", "raises", "wrong shape", *FINE], late=2), place


def test_the_study_goes_on_where_it_can(mixed):
    result, place = mixed
    with Shelf.open(place) as shelf:
        trials = shelf.trials("odd")
    failed = {each.configuration["module.way"]: each for each in trials if each.reason}
    assert set(failed) == {"raises", "wrong shape"}
    assert "no such row" in failed["raises"].reason
    assert result.winner.configuration["module.way"] not in failed
    searched = [each for each in trials if each.purpose is Purpose.SEARCH]
    assert result.trials["failed"] == sum(bool(each.reason) for each in searched) > 0
    done = {e.configuration["module.way"] for e in trials if e.best_epoch > 0}
    assert done >= {"fine", *FINE}


def test_nothing_printed_by_a_module_reaches_the_output(mixed, capfd):
    assert "loss: 0.5" not in capfd.readouterr().out
