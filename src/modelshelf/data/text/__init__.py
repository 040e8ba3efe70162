"""Text: from what people write to numbers, each step in the open."""

from modelshelf.data.text.bag import Bag, fit_bag
from modelshelf.data.text.ids import TokenIds, fit_ids
from modelshelf.data.text.settings import TextSettings

__all__ = ["Bag", "TextSettings", "TokenIds", "fit_bag", "fit_ids"]
