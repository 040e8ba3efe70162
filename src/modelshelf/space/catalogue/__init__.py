"""The catalogue: every hyperparameter, declared once.

To add one, declare it in the file of its group, and write the code in the engine (or in the
preparation) that obeys it. The space, the barcode, the checks and the docs follow from here.
"""

from __future__ import annotations

from modelshelf.core.errors import SettingError, nearest
from modelshelf.space.catalogue.preparation import PREPARATION
from modelshelf.space.catalogue.regularisation import REGULARISATION
from modelshelf.space.catalogue.structure import STRUCTURE
from modelshelf.space.catalogue.training import TRAINING
from modelshelf.space.hyperparameter import Hyperparameter

__all__ = ["CATALOGUE", "lookup"]

#: Every hyperparameter by name, in the order in which stripes and tables show them.
CATALOGUE: dict[str, Hyperparameter] = {
    each.name: each for each in (*STRUCTURE, *TRAINING, *REGULARISATION, *PREPARATION)
}


def lookup(name: str) -> Hyperparameter:
    """The declaration of this name; `SettingError` with the nearest name if there is none."""
    try:
        return CATALOGUE[name]
    except KeyError:
        raise SettingError(
            f"There is no hyperparameter {name!r}: {nearest(name, CATALOGUE)}"
        ) from None
