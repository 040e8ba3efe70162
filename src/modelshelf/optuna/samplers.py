"""Who proposes values: modelshelf's own search, under the name that scripts have, or chance."""

from __future__ import annotations

from dataclasses import dataclass

from modelshelf.core.errors import SettingError
from modelshelf.core.seeds import checked
from modelshelf.optuna.exceptions import UnfitError, absent

__all__ = ["RandomSampler", "Sampler", "TPESampler"]


@dataclass(frozen=True)
class Sampler:
    """How proposals are made."""

    seed: int  #: of all that is drawn; the same seed gives the same proposals
    searched: bool  #: whether earlier trials count


def _seed(seed: int | None) -> int:
    if seed is None:
        return 0
    try:
        return checked(seed)
    except SettingError as error:
        raise UnfitError(f"{str(error).removesuffix('.')}, or None.") from None


#: Options of Optuna's sampler that change how well it searches, not what it may propose.
_ACCEPTED = (
    "categorical_distance_func", "consider_endpoints", "consider_magic_clip", "consider_prior",
    "constant_liar", "gamma", "group", "multivariate", "n_ei_candidates", "n_startup_trials",
    "prior_weight", "warn_independent_sampling", "weights",
)  # fmt: skip


class TPESampler(Sampler):
    """modelshelf's search: Sobol points, then a forest that learns from the trials before.

    `seed` is obeyed (None is 0); the options of Optuna's own algorithm are accepted and have no
    effect. Raises `UnfitError` for any other.
    """

    def __init__(self, *, seed: int | None = None, **options: object) -> None:
        unknown = sorted(set(options) - set(_ACCEPTED))
        if unknown:
            raise UnfitError(
                f"TPESampler has no option {unknown[0]!r} here: the search has no constraints. "
                "Leave it out, or raise TrialPruned where a constraint is broken."
            )
        super().__init__(_seed(seed), searched=True)


class RandomSampler(Sampler):
    """Every value by chance. `seed` is obeyed; None is 0."""

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(_seed(seed), searched=False)


__getattr__ = absent(
    "modelshelf.optuna.samplers",
    ("TPESampler", "RandomSampler"),
    "modelshelf's own search stands in for every sampler that learns.",
)
