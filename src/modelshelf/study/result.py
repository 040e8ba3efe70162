"""What a study found: one frozen record, and its JSON form."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelshelf.core.errors import SettingError
from modelshelf.core.records import Baseline, Direction, Ensemble, Member, Task, Winner
from modelshelf.core.words import finite
from modelshelf.study.gain import MoreTime
from modelshelf.study.pareto import Prefer, Traded

if TYPE_CHECKING:
    from modelshelf.study.engines import OwnModule
    from modelshelf.study.ensemble_model import EnsembleModel
    from modelshelf.study.model import Model

__all__ = ["StudyResult"]


@dataclass(frozen=True, slots=True)
class StudyResult:
    """The result of a study. `to_json` is the object that `modelshelf tune --json` prints.

    `model` is the winner, loaded from the shelf: the very network that was scored.
    """

    study: str
    task: Task
    metric: str
    direction: Direction
    winner: Winner
    ensemble: Ensemble | None
    baselines: tuple[Baseline, ...]
    trials: Mapping[str, int] = field(hash=False)  #: started, finished, stopped, diverged, failed
    member_steps: int
    seconds: Mapping[str, float] = field(hash=False)  #: total, compiling, training, search, shelf
    shelf: Path
    understood: tuple[str, ...] = ()  #: what was understood of the data
    notes: tuple[str, ...] = ()  #: what a reader should know about how this came about
    complete: bool = True  #: False where the study was stopped before its end
    prefer: Prefer = Prefer.BEST  #: what the winner was chosen for
    traded: Traded | None = None  #: what was given for that; None where the best network won
    timed: bool = False  #: whether the budget was time, not a number of trials
    more_time: MoreTime | None = None  #: what twice of it should buy; None where unknown
    reused: bool = False  #: True where the study was finished before, and was not run again
    bag: Ensemble | None = None  #: the winner's networks of all folds, of equal weight
    #: One core's, of the last run: for the search, re-tests, baselines, and all there was.
    core_seconds: Mapping[str, float] = field(default_factory=dict, hash=False)
    own: OwnModule | None = None  #: what builds a person's own module; it is not on the shelf

    @property
    def model(self) -> Model:
        """The winner, ready to answer."""
        from modelshelf.study.model import Model

        return Model.from_shelf(self.winner.copy, self.shelf, own=self.own)

    @property
    def ensemble_model(self) -> EnsembleModel:
        """The ensemble, ready to answer. Raises `SettingError` where the study chose none."""
        from modelshelf.study.ensemble_model import EnsembleModel

        if self.ensemble is None:
            raise SettingError(
                f"The study {self.study} has no ensemble: give it more time, or use its winner."
            )
        return EnsembleModel.from_file(self.ensemble.file, self.shelf, own=self.own)

    @property
    def bag_model(self) -> EnsembleModel:
        """The winner's folds, ready to answer. Raises `SettingError` where there are not two."""
        from modelshelf.study.ensemble_model import EnsembleModel

        if self.bag is None:
            raise SettingError(
                f"The winner of the study {self.study} was trained on one split alone: give it "
                "more time, or use its winner."
            )
        return EnsembleModel.from_file(self.bag.file, self.shelf, own=self.own)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; a number that is not finite is None."""
        winner = {
            "barcode": self.winner.barcode,
            "copy": self.winner.copy,
            "configuration": self.winner.configuration,
            "validation": self.winner.validation,
            "validation_std": self.winner.validation_std,
            "test": self.winner.test,
            "test_interval": self.winner.test_interval,
            "retests": self.winner.retests,
            "refitted": self.winner.refitted,
        }
        whole = {
            "study": self.study,
            "task": self.task.value,
            "metric": self.metric,
            "direction": self.direction.value,
            "winner": winner,
            "ensemble": asdict(self.ensemble) if self.ensemble else None,
            "bag": asdict(self.bag) if self.bag else None,
            "baselines": [asdict(each) for each in self.baselines],
            "trials": dict(self.trials),
            "member_steps": self.member_steps,
            "seconds": dict(self.seconds),
            "core_seconds": dict(self.core_seconds),
            "shelf": str(self.shelf),
            "understood": list(self.understood),
            "notes": list(self.notes),
            "complete": self.complete,
            "prefer": self.prefer.value,
            "traded": asdict(self.traded) if self.traded else None,
            "timed": self.timed,
            "more_time": asdict(self.more_time) if self.more_time else None,
        }
        plain: dict[str, Any] = finite(whole)
        return plain

    @classmethod
    def from_json(cls, stored: Mapping[str, Any], *, reused: bool = False) -> StudyResult:
        """The result whose `to_json` this is."""
        winner = dict(stored["winner"])
        interval = winner.pop("test_interval", None)
        return cls(
            study=stored["study"],
            task=Task(stored["task"]),
            metric=stored["metric"],
            direction=Direction(stored["direction"]),
            winner=Winner(
                **{
                    **winner,
                    "validation": _number(winner["validation"]),
                    "validation_std": _number(winner["validation_std"]),
                    "test_interval": tuple(interval) if interval else None,
                }
            ),
            ensemble=_ensemble(stored["ensemble"]) if stored["ensemble"] else None,
            bag=_ensemble(stored["bag"]) if stored.get("bag") else None,
            baselines=tuple(
                Baseline(**{**each, "validation": _number(each["validation"])})
                for each in stored["baselines"]
            ),
            trials=dict(stored["trials"]),
            member_steps=stored["member_steps"],
            seconds=dict(stored["seconds"]),
            core_seconds=dict(stored.get("core_seconds", {})),
            shelf=Path(stored["shelf"]),
            understood=tuple(stored.get("understood", ())),
            notes=tuple(stored.get("notes", ())),
            complete=stored.get("complete", True),
            prefer=Prefer(stored.get("prefer", Prefer.BEST)),
            traded=_traded(stored.get("traded")),
            timed=stored.get("timed", False),
            more_time=_more_time(stored.get("more_time")),
            reused=reused,
        )


def _ensemble(stored: Mapping[str, Any]) -> Ensemble:
    interval = stored.get("test_interval")
    measured = ("validation", "single", "seconds", "winner_seconds")
    return Ensemble(
        **{
            **stored,
            **{name: _number(stored.get(name)) for name in measured},
            "test_interval": tuple(interval) if interval else None,
            "members": tuple(Member(**each) for each in stored.get("members", ())),
        }
    )


def _traded(stored: Mapping[str, Any] | None) -> Traded | None:
    if stored is None:
        return None
    pairs = {name: tuple(stored[name]) for name in ("parameters", "multiply_adds")}
    return Traded(**{**stored, **pairs, "prefer": Prefer(stored["prefer"])})


def _more_time(stored: Mapping[str, Any] | None) -> MoreTime | None:
    return MoreTime(**{**stored, "noise": _number(stored["noise"])}) if stored else None


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)
