"""A configuration: one full assignment of the hyperparameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import cast

from modelshelf.core.errors import SettingError
from modelshelf.core.records import Task
from modelshelf.space.barcode import barcode_of
from modelshelf.space.catalogue import CATALOGUE, in_order, lookup
from modelshelf.space.domains import Value, checked
from modelshelf.space.recipes import recipe

__all__ = ["LOSSES", "Configuration"]


#: The losses that fit, by whether the target holds classes.
LOSSES = {
    True: ("cross_entropy", "quadratic"),
    False: ("quadratic", "absolute", "huber", "gaussian", "quantile"),
}


#: Settings that fit one kind of target alone: name, value, whether it holds classes.
_ONE_TASK = (
    ("monitor", "accuracy", True),
    ("class_weight", "balanced", True),
    ("clamp_output", "yes", False),
)


_DEFAULTS = {name: h.default for name, h in CATALOGUE.items()}
_OFF = {name: h.off for name, h in CATALOGUE.items() if h.off is not None}
_CONFLICTING = tuple(name for name, h in reversed(CATALOGUE.items()) if h.conflicts)


def _checked(name: str, value: object) -> Value:
    return checked(name, lookup(name).domain, value)


#: Of text and of whole numbers alone: there are few of them, and floats that are equal may differ.
_checked_once = lru_cache(maxsize=8192)(_checked)


class Configuration(Mapping[str, Value]):
    """One full assignment of the hyperparameters. Immutable; what is not given has its default.

    As a mapping it holds the *active* hyperparameters only: those whose condition holds and that
    are not switched off. `value` gives any of them, active or not.

    >>> configuration = Configuration(learning_rate=0.01, hidden_layers=[64, 32])
    >>> configuration["hidden_layers"], configuration["optimizer"]
    ((64, 32), 'adam')
    >>> "dropout" in configuration, configuration.value("dropout")
    (False, 0.0)
    >>> configuration.replace(dropout=0).barcode == configuration.barcode
    True

    `recipe` gives published settings by one name, such as `"realmlp"`; what else is given overrules
    them, and what they are for numbers rather than classes, `for_task` decides.

    Raises `SettingError` for an unknown name (with the nearest one) or a value out of its domain.
    """

    __slots__ = ("_active", "_barcode", "_idle", "_recipe", "_settings", "given")

    def __init__(self, **settings: object) -> None:
        #: The recipe that was asked for, and what was given besides; `for_task` settles it.
        self._recipe: tuple[str, dict[str, object]] | None = None
        if "recipe" in settings:
            name = str(settings.pop("recipe"))
            self._recipe = name, settings
            settings = {**recipe(name, classes=True), **settings}
        values: dict[str, Value] = {}
        for name, value in settings.items():
            values[name] = _checked(name, value)
        self._settle(values)

    def _settle(self, values: dict[str, Value]) -> None:
        """Find out which play a part, of values that lie in their domains."""
        self.given = frozenset(values)  #: the names that were given, and so are not defaults
        self._settings = _DEFAULTS | values
        # In the catalogue's order, so that what hangs on an inactive setting is inactive too.
        known = CATALOGUE.items()
        if len(self._settings) > len(known):
            known = {name: lookup(name) for name in in_order(self._settings)}.items()
        self._active: dict[str, Value] = {}
        self._idle: set[str] = set()  # given or not, they play no part
        for name, h in known:
            if h.off is not None and self._settings[name] == h.off:
                continue
            if h.condition is None or h.condition.holds(self._active):
                self._active[name] = self._settings[name]
            else:
                self._idle.add(name)
        self._barcode = ""
        # The last first: what gives way itself is in nobody's way.
        for name in _CONFLICTING:
            for conflict in CATALOGUE[name].conflicts if name in self._active else ():
                if conflict.arises(self._active[name], self._active):
                    self._idle.add(name)
                    del self._active[name]
                    if name not in _OFF:  # it cannot be without one, and gets the usual one
                        self._active[name] = _DEFAULTS[name]
                    break

    def __getitem__(self, name: str) -> Value:
        return self._active[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._active)

    def __len__(self) -> int:
        return len(self._active)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Configuration) and self._active == other._active

    def __hash__(self) -> int:
        return hash(self.barcode)

    def __repr__(self) -> str:
        inside = ", ".join(f"{name}={value!r}" for name, value in self.items())
        return f"Configuration({inside})"

    @property
    def barcode(self) -> str:
        """The identity of this configuration, such as `7QK4-9XPD-2M0A-VB3T`."""
        if not self._barcode:
            self._barcode = barcode_of(self)
        return self._barcode

    def refuse_idle(self) -> None:
        """Raise `SettingError` where a setting that was given plays no part beside the others."""
        for name in self._recipe[1] if self._recipe else self.given:
            if name in self._idle:
                raise SettingError(
                    f"{name} plays no part here: it counts where {lookup(name).active_when}. "
                    "Leave it out, or set that too."
                )

    def value(self, name: str) -> Value:
        """The value of any hyperparameter, whether or not it is active."""
        if name not in self._settings:
            lookup(name)  # says what is near, where there is no such name
            raise SettingError(f"{name} was not given, and has no default that is known here.")
        return self._active.get(name, self._settings[name])

    def number(self, name: str) -> float:
        """The value of a numeric hyperparameter as a float."""
        return float(cast("float | int", self.value(name)))

    def whole(self, name: str) -> int:
        """The value of an integer hyperparameter."""
        return int(cast("int", self.value(name)))

    def word(self, name: str) -> str:
        """The value of a hyperparameter that is a choice of words."""
        return str(self.value(name))

    @property
    def hidden_layers(self) -> tuple[int, ...]:
        """Widths of the hidden layers, first to last."""
        return cast("tuple[int, ...]", self.value("hidden_layers"))

    def replace(self, **changes: object) -> Configuration:
        """The same configuration but for these settings."""
        if self._recipe:
            name, given = self._recipe
            return Configuration(**{"recipe": name, **given, **changes})
        kept = {name: self._settings[name] for name in self.given}
        return Configuration(**{**kept, **changes})

    def for_task(self, task: Task) -> Configuration:
        """The configuration with what the task decides: a number is learned by squared error.

        Raises `SettingError` where the loss that was given does not fit.
        """
        if self._recipe:
            recipe_name, given = self._recipe
            settings = {**recipe(recipe_name, task.is_classification), **given}
            return Configuration(**settings).for_task(task)
        for name, value, classes in _ONE_TASK:
            if self._active.get(name) == value and task.is_classification is not classes:
                raise SettingError(
                    f"{name} = {value} is for a target that holds "
                    f"{'classes' if classes else 'numbers'}, and this one holds "
                    f"{'numbers' if classes else 'classes'}: leave it out."
                )
        loss = self._settings["loss"]
        if loss in LOSSES[task.is_classification]:
            return self
        if "loss" in self.given:
            fitting = " or ".join(LOSSES[task.is_classification])
            needs, have = ("numbers", "classes")
            if not task.is_classification:
                needs, have = ("classes", "numbers")
            raise SettingError(
                f"loss = {loss} needs {needs}, and this target holds {have}: use loss = {fitting}, "
                "or say otherwise with --task."
            )
        return self.replace(loss="quadratic")

    def for_text(self, columns: int) -> Configuration:
        """The configuration with what so many text columns decide: they are read, if unsaid, as
        bags.

        Raises `SettingError` where it needs text and there is none.
        """
        if not columns:
            asked = "text" in self._active or self._active.get("network") == "text"
            if asked:
                raise SettingError(
                    "This configuration reads text, and the table has no text column: "
                    "--column NAME=text (columns={NAME: 'text'}) makes one."
                )
            return self
        plain = self._settings["network"] in ("dense", "module")
        return self.replace(text="bag") if plain and "text" not in self.given else self

    def to_json(self) -> dict[str, object]:
        """The active settings as plain JSON values; `from_json` reads them back."""
        return {
            name: list(value) if isinstance(value, tuple) else value for name, value in self.items()
        }

    @classmethod
    def from_json(cls, settings: Mapping[str, object]) -> Configuration:
        """The configuration whose `to_json` this is. What is absent was inactive."""
        values = {name: off for name, off in _OFF.items() if name not in settings}
        if "recipe" in settings:
            return cls(**{**values, **settings})
        for name, value in settings.items():
            check = _checked_once if type(value) in (str, int) else _checked
            values[name] = check(name, value)
        made = cls.__new__(cls)  # a shelf has tens of thousands: what is off needs no check
        made._recipe = None
        made._settle(values)
        return made
