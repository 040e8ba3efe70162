"""The catalogue: every hyperparameter, declared once.

To add one, declare it in the file of its group, and write the code in the engine (or in the
preparation) that obeys it. The space, the barcode, the checks and the docs follow from here.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from modelshelf.core.errors import SettingError, nearest
from modelshelf.space.catalogue.images import IMAGES
from modelshelf.space.catalogue.preparation import PREPARATION
from modelshelf.space.catalogue.regularisation import REGULARISATION
from modelshelf.space.catalogue.structure import STRUCTURE
from modelshelf.space.catalogue.text import TEXT
from modelshelf.space.catalogue.training import TRAINING
from modelshelf.space.hyperparameter import Hyperparameter, when
from modelshelf.space.own import OWN, Own, is_own

__all__ = ["CATALOGUE", "in_order", "lookup"]

#: Every hyperparameter by name, in the order in which stripes and tables show them.
CATALOGUE: dict[str, Hyperparameter] = {
    each.name: each
    for each in (*STRUCTURE, *TRAINING, *REGULARISATION, *PREPARATION, *IMAGES, *TEXT)
}


def lookup(name: str) -> Hyperparameter:
    """The declaration of this name; `SettingError` with the nearest name if there is none.

    An argument of a person's own module, such as `module.width`, is declared here and now.
    """
    if name in CATALOGUE:
        return CATALOGUE[name]
    if is_own(name):
        return _own(name)
    raise SettingError(f"There is no hyperparameter {name!r}: {nearest(name, CATALOGUE)}")


@cache
def _own(name: str) -> Hyperparameter:
    argument = name.removeprefix(OWN)
    return Hyperparameter(
        name=name,
        group="module",
        domain=Own(),
        default="",
        meaning=f"The argument {argument!r} of your own module.",
        too_little="As your module has it.",
        too_much="As your module has it.",
        source="your own module",
        condition=when("network", "module"),
    )


def in_order(names: Iterable[str]) -> list[str]:
    """Names in the catalogue's order; the arguments of a module follow, by name.

    >>> in_order(["module.b", "dropout", "module.a", "hidden_layers"])
    ['hidden_layers', 'dropout', 'module.a', 'module.b']
    """
    given = set(names)
    return [*(n for n in CATALOGUE if n in given), *sorted(filter(is_own, given))]
