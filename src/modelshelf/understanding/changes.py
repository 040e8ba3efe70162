"""A network's configuration with changes: how probes, diagnoses and `train --like` begin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelshelf.core.errors import SettingError
from modelshelf.core.records import Task
from modelshelf.space.catalogue import lookup
from modelshelf.space.configuration import Configuration

__all__ = ["changed"]


def changed(own: Configuration, changes: Mapping[str, Any], task: Task) -> Configuration:
    """`own` with these settings; what they put out of play is left out.

    Raises `SettingError` where a change cannot be made, or would play no part.

    >>> own = Configuration(optimizer="adamw", weight_decay=0.1)
    >>> "weight_decay" in changed(own, {"optimizer": "sgd"}, Task.BINARY)
    False
    """
    if "recipe" in changes:
        raise SettingError("A recipe is a whole configuration, and changes none: leave it out.")
    new = own.replace(**changes).for_task(task)
    for name in changes:
        if name not in new and new.value(name) != lookup(name).off:
            Configuration(**{**new, name: new.value(name)}).refuse_idle()
    return new
