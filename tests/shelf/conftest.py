from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from modelshelf.shelf import Shelf
from tests.shelf.helpers import study


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    with Shelf.open(tmp_path / "shelf", create=True) as opened:
        yield opened


@pytest.fixture
def kept(shelf: Shelf) -> Shelf:
    """A shelf with one study, `a`, still empty."""
    shelf.add_study(study())
    return shelf
