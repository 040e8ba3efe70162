"""A space: which hyperparameters a search may vary, and within what."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from modelshelf.core.errors import SettingError
from modelshelf.core.records import Task
from modelshelf.space.catalogue import CATALOGUE, lookup
from modelshelf.space.configuration import LOSSES, Configuration
from modelshelf.space.domains import Choice, Domain, Integer, Layers, Value, checked

__all__ = ["Space"]

#: What a search varies where nothing is said. What is not named here keeps its default.
_DEFAULTS: dict[str, object] = {
    "hidden_layers": {"depth": (1, 3), "width": (16, 256)},
    "activation": ("relu", "leaky_relu", "tanh"),
    "initialisation": ("he_normal", "he_uniform", "xavier_normal", "xavier_uniform"),
    "learning_rate": (3e-4, 0.1),
    "batch_size": (16, 32, 64, 128, 256, 512),
    "optimizer": ("adam", "rmsprop", "momentum", "sgd"),
    "loss": ("cross_entropy", "quadratic"),
    "dropout": (0.0, 0.5),
    "l1": (1e-7, 1e-3),
    "l2": (1e-7, 1e-2),
    "scaling": ("standard", "robust", "quantile"),
}

#: The share of proposals in which a hyperparameter that can be off is off.
_OFF_SHARE = {"dropout": 0.3, "l1": 0.7, "l2": 0.4}


@dataclass(frozen=True, slots=True)
class _Entry:
    domain: Domain
    off_share: float = 0.0


class Space:
    """The hyperparameters that a search may vary, with their domains. Immutable.

    A range is `(lowest, highest)`, choices are a list, a single value fixes the hyperparameter,
    and what is not named keeps the default search range.

    >>> space = Space(learning_rate=(1e-4, 1e-2), optimizer=["adam"], batch_size=64)
    >>> "batch_size" in space.varied, space.fixed["batch_size"]
    (False, 64)
    """

    def __init__(self, **entries: object) -> None:
        self._entries: dict[str, _Entry] = {}
        self._fixed: dict[str, Value] = {}
        for name, given in {**_DEFAULTS, **entries}.items():
            self._add(name, given)

    def _add(self, name: str, given: object) -> None:
        hyperparameter = lookup(name)
        domain = hyperparameter.domain
        widths = isinstance(domain, Layers)
        several = isinstance(given, (dict, tuple, list)) and not (
            widths and not isinstance(given, dict) and all(isinstance(e, int) for e in given)
        )
        if not several:
            self._fixed[name] = checked(name, domain, given)
            return
        try:
            narrowed = domain.narrow(given)
        except ValueError as error:
            raise SettingError(f"In the space, {name} must be {error}.") from None
        if isinstance(narrowed, Choice) and len(narrowed.values) == 1:
            self._fixed[name] = narrowed.values[0]
        else:
            share = _OFF_SHARE.get(name, 0.0) if hyperparameter.off is not None else 0.0
            self._entries[name] = _Entry(narrowed, share)

    @classmethod
    def from_file(cls, path: str | Path) -> Space:
        """The space in a TOML file: one `name = value` a line, as the constructor takes them."""
        try:
            text = Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise SettingError(f"The space {str(path)!r} cannot be read: {error}.") from None
        try:
            return cls(**tomllib.loads(text))
        except tomllib.TOMLDecodeError as error:
            raise SettingError(
                f"The space {str(path)!r} is not TOML ({error}). Expected lines such as "
                "learning_rate = [0.0001, 0.01]"
            ) from None

    def for_task(self, task: Task) -> Space:
        """The space with the losses that fit the task, of those that it names."""
        fitting = LOSSES[task.is_classification]
        domain = self.varied.get("loss")
        named = domain.values if isinstance(domain, Choice) else (self._fixed["loss"],)
        losses = [value for value in named if value in fitting] or ["quadratic"]
        if losses == list(named):
            return self
        space = Space()
        space._entries = {n: e for n, e in self._entries.items() if n != "loss"}
        space._fixed = {n: v for n, v in self._fixed.items() if n != "loss"}
        space._add("loss", losses)
        return space

    def for_rows(self, rows: int) -> Space:
        """The space with what the number of training rows decides.

        Few rows make short epochs: where nothing was said of `epochs`, small data get more.
        """
        if "epochs" in self._fixed or "epochs" in self._entries or rows >= 5_000:
            return self
        space = Space()
        space._entries = self._entries
        space._fixed = {**self._fixed, "epochs": 200}
        return space

    @property
    def varied(self) -> dict[str, Domain]:
        """The domain of each hyperparameter that the search varies."""
        return {name: entry.domain for name, entry in self._entries.items()}

    @property
    def fixed(self) -> dict[str, Value]:
        """The value of each hyperparameter that this space fixes."""
        return dict(self._fixed)

    @property
    def most_epochs(self) -> int:
        """The most epochs that a configuration of this space trains."""
        domain = self.varied.get("epochs")
        if isinstance(domain, Integer):
            return domain.high
        if isinstance(domain, Choice):
            return max(int(str(value)) for value in domain.values)
        return int(str(self._fixed.get("epochs", CATALOGUE["epochs"].default)))

    @property
    def dimensions(self) -> int:
        """How many coordinates `configuration` takes."""
        return sum(e.domain.dimensions + bool(e.off_share) for e in self._entries.values())

    def configuration(self, unit: Sequence[float]) -> Configuration:
        """The configuration at a point of the unit cube.

        `unit` has `dimensions` coordinates, each at least 0 and below 1.
        """
        settings: dict[str, object] = dict(self._fixed)
        at = 0
        for name, entry in self._entries.items():
            off = False
            if entry.off_share:
                off, at = unit[at] < entry.off_share, at + 1
            width = entry.domain.dimensions
            coordinates, at = unit[at : at + width], at + width
            settings[name] = CATALOGUE[name].off if off else entry.domain.from_unit(coordinates)
        return Configuration(**settings)

    def restrict(self, configuration: Configuration) -> Configuration | None:
        """A configuration with this space's fixed values; None where it lies outside."""
        candidate = configuration.replace(**self._fixed)
        for name, entry in self._entries.items():
            value = candidate.value(name)
            if name in candidate and not _within(entry.domain, value):
                return None
        return candidate

    def to_json(self) -> dict[str, object]:
        """The space as plain JSON values, the same for the same space."""
        return {
            "fixed": {n: list(v) if isinstance(v, tuple) else v for n, v in self._fixed.items()},
            "varied": {n: repr(e.domain) for n, e in self._entries.items()},
        }

    def words(self) -> Mapping[str, str]:
        """Each hyperparameter's part of the space, in words."""
        fixed = {name: f"always {value}" for name, value in self._fixed.items()}
        return {**{name: d.words() for name, d in self.varied.items()}, **fixed}


def _within(domain: Domain, value: Value) -> bool:
    try:
        domain.check(value)
    except ValueError:
        return False
    return True
