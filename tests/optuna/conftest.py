from __future__ import annotations

import pytest

import modelshelf.optuna as optuna


@pytest.fixture(autouse=True)
def _quiet():
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    yield
    optuna.logging.set_verbosity(before)


@pytest.fixture
def place(tmp_path):
    return tmp_path / "shelf"
