"""The space of a study whose rows are images."""

from __future__ import annotations

from collections.abc import Sequence

from modelshelf.core.errors import SettingError
from modelshelf.space.defaults import entries_for_images
from modelshelf.space.portfolio import PORTFOLIO_OF_IMAGES
from modelshelf.space.space import Space

__all__ = ["for_images", "refuse_convolutions"]


def for_images(space: Space, shape: Sequence[int], torch: bool) -> Space:
    """The space as it was given, for images of this shape (channels, height, width).

    Convolutional networks are searched too where PyTorch is there, and what else suits pixels,
    where nothing was said of it.

    >>> for_images(Space(), (1, 28, 28), torch=True).known[0]["network"]
    'conv'
    """
    given = space.given
    found = Space.of({**entries_for_images(shape, torch, given.get("network")), **given})
    return found.with_usual(PORTFOLIO_OF_IMAGES)


def refuse_convolutions(network: object) -> None:
    """Raise `SettingError` for networks that read images, where rows are none."""
    if network == "conv" or (isinstance(network, (tuple, list)) and "conv" in network):
        raise SettingError(
            "network = conv reads images, and these rows are none: use network = dense, or give "
            "images."
        )
