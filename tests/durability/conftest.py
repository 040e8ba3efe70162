from __future__ import annotations

from pathlib import Path

import pytest

from tests.durability.runner import run
from tests.study.conftest import make_table


@pytest.fixture(scope="package")
def rows_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rows") / "table.csv"
    make_table(120).drop("amount").write_csv(path)
    return path


@pytest.fixture(scope="package")
def calm(rows_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shelf of the study that nothing disturbed."""
    shelf = tmp_path_factory.mktemp("calm") / "shelf"
    assert run(shelf, rows_file, 2) == 0
    return shelf
