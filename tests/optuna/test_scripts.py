"""Scripts as Optuna's users write them, with the import changed and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from modelshelf import Shelf
from modelshelf.core.records import Status

SCRIPTS = Path(__file__).parent / "scripts"


def moved_over(name: str) -> str:
    """The script with its imports changed."""
    text = (SCRIPTS / f"{name}.py").read_text(encoding="utf-8")
    changed = text.replace("import optuna\n", "import modelshelf.optuna as optuna\n")
    changed = changed.replace("from optuna.", "from modelshelf.optuna.")
    lines = [(a, b) for a, b in zip(text.splitlines(), changed.splitlines(), strict=True) if a != b]
    assert 1 <= len(lines) <= 2
    assert all("import" in before for before, _ in lines)
    return changed


def run(text: str) -> None:
    exec(compile(text, "script", "exec"), {"__name__": "__main__"})


def test_a_parabola(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    run(moved_over("quadratic"))
    out = capsys.readouterr().out
    assert "trials: 60\nfirst: 5.0\n" in out
    assert float(re.search(r"best value: (.*)", out)[1]) < 0.5
    with Shelf.open() as shelf:
        assert shelf.counts("parabola")[Status.FINISHED] == 60
        assert shelf.check() == ()


def test_classifiers_with_parameters_of_their_own(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    text = moved_over("classifiers").replace("n_trials=25", "n_trials=14")
    run(text)
    assert float(re.search(r"best accuracy: (.*)", capsys.readouterr().out)[1]) > 0.95
    with Shelf.open() as shelf:
        trials = shelf.trials("wine")
        best, names = trials[0], {name for each in trials for name in each.configuration}
    assert best.score == max(each.score for each in trials)
    assert {"module.svm_c", "module.logistic_c", "module.trees"} <= names
    assert not any({"module.svm_c", "module.trees"} <= set(t.configuration) for t in trials)


def test_a_network_of_pytorch_s_that_is_pruned(tmp_path, monkeypatch, capsys):
    pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    text = moved_over("digits").replace("EPOCHS = 6", "EPOCHS = 3")
    run(text.replace("n_trials=25", "n_trials=9"))
    assert float(re.search(r"best accuracy: (.*)", capsys.readouterr().out)[1]) > 0.6
    with Shelf.open() as shelf:
        counts = shelf.counts("objective")
        curves = shelf.curves("objective")
        assert shelf.check() == ()
    assert counts[Status.FINISHED] + counts[Status.STOPPED] == 9
    assert counts[Status.STOPPED] > 0
    assert min(map(len, curves.values())) < max(map(len, curves.values())) == 3
