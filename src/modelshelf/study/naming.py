"""Names of studies."""

from __future__ import annotations

from collections.abc import Collection

from modelshelf.data.dataset import Dataset
from modelshelf.space.barcode import crockford

__all__ = ["study_name"]


def study_name(dataset: Dataset, key: str, taken: Collection[str]) -> str:
    """Such as `adult-income-7qk4`: data, target, and the beginning of the key's hash."""
    stem = "-".join(_slug(part) for part in (dataset.name.rsplit(".", 1)[0], dataset.schema.target))
    letters = crockford(key).replace("-", "").lower()
    length = 4
    while f"{stem}-{letters[:length]}" in taken and length < len(letters):
        length += 1
    return f"{stem}-{letters[:length]}"


def _slug(text: str) -> str:
    """Letters, digits and single hyphens, at most 24 of them."""
    kept = "".join(c if c.isalnum() else " " for c in text.lower()).split()
    return "-".join(kept)[:24].strip("-") or "data"
