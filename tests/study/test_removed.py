"""A study goes on without the networks that were removed, or trains them again if it must."""

from __future__ import annotations

from modelshelf import Shelf, tune
from modelshelf.core.records import Status
from tests.study.conftest import QUICK


def test_a_study_goes_on_with_a_trial_whose_network_was_removed(csv, tmp_path):
    asked = {"target": "label", "space": QUICK, "folds": 2, "shelf": tmp_path / "shelf"}
    first = tune(csv, trials=12, **asked)
    with Shelf.open(tmp_path / "shelf") as shelf:
        left = [t for t in shelf.trials(first.study) if t.status is Status.STOPPED]
        for each in left:
            shelf.remove_network(each.copy)
    assert left
    tune(csv, trials=36, **asked)
    with Shelf.open(tmp_path / "shelf") as shelf:
        resumed = [t for t in left if shelf.trial(first.study, t.number).epoch > t.epoch]
        assert resumed, "none was gone on with: the test tests nothing"
        assert all(shelf.trial(first.study, t.number).size for t in resumed)
        assert shelf.check() == ()
