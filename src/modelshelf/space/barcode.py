"""The barcode: a configuration's identity, canonical, versioned, readable and drawn."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

from modelshelf.core.errors import BarcodeError
from modelshelf.space.catalogue import in_order, lookup
from modelshelf.space.domains import Value

__all__ = ["VERSION", "Stripe", "barcode_of", "canonical", "clean", "crockford", "stripes", "svg"]

#: Version of the canonical form. It changes only if the same settings must be told apart anew.
VERSION = 1

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LOOKALIKES = str.maketrans("OIL", "011")


def canonical(active: Mapping[str, Value]) -> str:
    """The canonical JSON of active settings: type-tagged, sorted, floats in shortest form.

    >>> canonical({"learning_rate": 0.001, "batch_size": 64})
    '{"h":{"batch_size":["i",64],"learning_rate":["f",0.001]},"v":1}'
    """
    tagged = {
        name: [lookup(name).domain.tag, list(v) if isinstance(v, tuple) else v]
        for name, v in active.items()
    }
    return json.dumps(
        {"v": VERSION, "h": tagged}, sort_keys=True, separators=(",", ":"), allow_nan=False
    )


def crockford(text: str) -> str:
    """The first 80 bits of SHA-256 of a text in Crockford's base 32, in four groups of four."""
    number = int.from_bytes(hashlib.sha256(text.encode("utf-8")).digest()[:10], "big")
    letters = "".join(_ALPHABET[(number >> shift) & 31] for shift in range(75, -1, -5))
    return "-".join(letters[start : start + 4] for start in range(0, 16, 4))


def barcode_of(active: Mapping[str, Value]) -> str:
    """The barcode of active settings."""
    return crockford(canonical(active))


def clean(prefix: str) -> str:
    """A typed barcode, or the beginning of one, in canonical form.

    Letter case and hyphens do not matter, and O, I and L are read as 0, 1 and 1.

    >>> clean("7qk4 9xpdo")
    '7QK4-9XPD-0'

    Raises `BarcodeError` where it cannot be the beginning of a barcode.
    """
    letters = prefix.strip().upper().translate(_LOOKALIKES).replace("-", "").replace(" ", "")
    if not letters or len(letters) > 16 or set(letters) - set(_ALPHABET):
        raise BarcodeError(
            f"{prefix!r} is not a barcode: expected up to 16 letters and digits such as "
            "7QK4-9XPD-2M0A-VB3T, or the first few of them. `modelshelf shelf` lists what is there."
        )
    return "-".join(letters[start : start + 4] for start in range(0, len(letters), 4))


@dataclass(frozen=True, slots=True)
class Stripe:
    """One hyperparameter in the drawn barcode: wider is further up in its domain."""

    name: str
    value: Value
    group: str
    position: float  #: 0 to 1


def stripes(active: Mapping[str, Value]) -> tuple[Stripe, ...]:
    """The drawn form of a barcode: one stripe for each active hyperparameter, in fixed order."""
    return tuple(
        Stripe(name, active[name], h.group, h.domain.position(active[name]))
        for name, h in ((name, lookup(name)) for name in in_order(active))
    )


def svg(active: Mapping[str, Value], height: int = 64) -> str:
    """The barcode as an SVG picture, with each stripe's setting as its tooltip."""
    code = barcode_of(active)
    x, marks = 8.0, []
    for stripe in stripes(active):
        width = 2 + 10 * stripe.position
        title = escape(f"{stripe.name} = {stripe.value}")
        marks.append(
            f'<rect x="{x:.1f}" y="8" width="{width:.1f}" height="{height}" fill="currentColor">'
            f"<title>{title}</title></rect>"
        )
        x += width + 4
    total = max(x + 4, 176.0)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {total:.1f} {height + 32}" '
        f'role="img" aria-label="barcode {code}"><g>{"".join(marks)}</g>'
        f'<text x="8" y="{height + 24}" font-family="monospace" font-size="13" '
        f'fill="currentColor">{code}</text></svg>\n'
    )
