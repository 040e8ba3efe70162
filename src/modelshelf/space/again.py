"""A space from what its `to_json` says: as a study keeps it, so that it can be looked at again."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from modelshelf.core.errors import ShelfError
from modelshelf.space.cases import cases_of
from modelshelf.space.domains import Choice, Domain, Integer, Layers, Real
from modelshelf.space.own import is_own
from modelshelf.space.space import Space

__all__ = ["space_from_json"]

_DOMAINS: dict[str, type[Any]] = {each.__name__: each for each in (Real, Integer, Choice, Layers)}


def space_from_json(told: Mapping[str, Any]) -> Space:
    """The space whose `to_json` this is. Raises `ShelfError` where it is not of that form.

    >>> space = Space(learning_rate=(1e-4, 1e-2), dropout={"range": (0.1, 0.5), "off": 0.2})
    >>> space_from_json(space.to_json()).to_json() == space.to_json()
    True
    """
    try:
        cases = [
            case
            for words, parts in told.get("when", ())
            for case in cases_of(_nested(words.split(" and "), _entries(parts)))
        ]
        return Space(**_entries(told)).with_cases(cases)
    except (KeyError, ValueError, TypeError, AttributeError, SyntaxError) as error:
        raise ShelfError(f"A study's space cannot be read again: {error}.") from None


def _entries(told: Mapping[str, Any]) -> dict[str, Any]:
    """Entries as a space takes them."""
    found: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in told["fixed"].items()
    }
    for name, text in told["varied"].items():
        domain = _domain(text)
        found[name] = domain if is_own(name) else _entry(domain)
        if name in told.get("off", {}):
            found[name] = _with_off(found[name], told["off"][name])
    return found


def _domain(text: str) -> Domain:
    """A domain from its `repr`; nothing in it is executed."""
    call = ast.parse(text, mode="eval").body
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
        raise ValueError(f"{text!r} is no domain")
    settings = {str(each.arg): ast.literal_eval(each.value) for each in call.keywords}
    domain: Domain = _DOMAINS[call.func.id](**settings)
    return domain


def _entry(domain: Domain) -> object:
    if isinstance(domain, Choice):
        return list(domain.values)
    if isinstance(domain, Layers):
        return {"depth": domain.depth, "width": domain.width}
    assert isinstance(domain, (Real, Integer))
    return domain.low, domain.high


def _with_off(entry: object, share: float) -> dict[str, object]:
    return {"values" if isinstance(entry, list) else "range": entry, "off": share}


def _nested(asked: list[str], entries: dict[str, Any]) -> dict[str, Any]:
    """A case below what it asks, such as `optimizer is sgd` and `l2 is on`."""
    name, _, value = asked[0].partition(" is ")
    inside = {"when": _nested(asked[1:], entries)} if len(asked) > 1 else entries
    return {name: {value: inside}}
