"""Networks that were made ill on purpose, each in one way: what a diagnosis is measured by.

Every network begins as a healthy one of its data set, drawn from a few; the illness changes its
settings, or its rows. Nothing here looks at what a diagnosis says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from modelshelf import Configuration, Shelf, train
from modelshelf.core.records import CurvePoint
from modelshelf.core.seeds import derive, generator
from modelshelf.data.read import bundled, read_table
from modelshelf.study.beside import Wanted, study_beside, train_beside
from modelshelf.study.model import Model
from modelshelf.study.rows import problem_of
from modelshelf.study.searching import SEARCH_SPLIT

ROWS = 2_000  # at most, so that a network takes a moment


def healthy(rng: np.random.Generator) -> dict[str, object]:
    """Settings that suit small tables."""
    return {
        "hidden_layers": [(64,), (64, 32), (96, 48), (48, 48)][rng.integers(4)],
        "activation": ["relu", "tanh", "silu", "leaky_relu"][rng.integers(4)],
        "learning_rate": [1e-3, 2e-3, 3e-3][rng.integers(3)],
        "batch_size": [32, 64][rng.integers(2)],
        "dropout": [0.0, 0.1, 0.2][rng.integers(3)],
        "l2": [0.0, 1e-4, 1e-3][rng.integers(3)],
        "epochs": 300,
        "patience": 16,
    }


def _diverging(rng: np.random.Generator) -> dict[str, object]:
    kind = rng.integers(3)
    if kind == 0:
        return {"optimizer": "sgd", "learning_rate": float(rng.choice([30.0, 100.0])),
                "activation": "relu"}  # fmt: skip
    if kind == 1:
        return {"optimizer": "momentum", "learning_rate": float(rng.choice([10.0, 50.0])),
                "activation": "relu"}  # fmt: skip
    return {"learning_rate": float(rng.choice([3.0, 10.0])), "activation": "silu"}


def _slow(rng: np.random.Generator) -> dict[str, object]:
    if rng.integers(3):
        return {"learning_rate": float(rng.choice([1e-6, 3e-6, 1e-5])), "epochs": 60}
    rate = float(rng.choice([1e-5, 1e-4]))
    return {"optimizer": "sgd", "learning_rate": rate, "epochs": 60}


def _underfitting(rng: np.random.Generator) -> dict[str, object]:
    kind = rng.integers(3)
    more: dict[str, object] = [
        {"l2": float(rng.choice([1.0, 3.0]))},
        {"l1": float(rng.choice([0.1, 0.2]))},
        {"dropout": float(rng.choice([0.9, 0.95])), "hidden_layers": (16, 16, 16)},
    ][kind]
    return {"activation": "silu", **more}


def _overfitting(rng: np.random.Generator) -> dict[str, object]:
    return {
        "hidden_layers": [(256, 256), (512, 256)][rng.integers(2)], "activation": "relu",
        "learning_rate": float(rng.choice([1e-3, 2e-3])), "epochs": 250, "patience": 0,
        "dropout": 0.0, "l2": 0.0,
    }  # fmt: skip


def _vanishing(rng: np.random.Generator) -> dict[str, object]:
    depth = int(rng.integers(6, 11))
    return {
        "hidden_layers": (32,) * depth, "activation": "sigmoid", "dropout": 0.0, "l2": 0.0,
        "initialisation": ["xavier_normal", "lecun_uniform", "pytorch"][rng.integers(3)],
        "optimizer": ["sgd", "momentum"][rng.integers(2)], "epochs": 100,
        "learning_rate": float(rng.choice([0.01, 0.03])),
    }  # fmt: skip


def _dying(rng: np.random.Generator) -> dict[str, object]:
    return {
        "activation": "relu", "learning_rate": float(rng.choice([0.1, 0.2, 0.3])), "dropout": 0.0,
        "hidden_layers": [(64,), (64, 64), (128, 64)][rng.integers(3)], "l2": 0.0,
    }  # fmt: skip


def _saturated(rng: np.random.Generator) -> dict[str, object]:
    if rng.integers(2):
        return {"activation": "tanh", "initialisation": "standard_normal", "dropout": 0.0,
                "hidden_layers": [(256, 256), (512, 512)][rng.integers(2)], "l2": 0.0}  # fmt: skip
    return {"activation": "tanh", "learning_rate": float(rng.choice([0.3, 1.0])), "dropout": 0.0,
            "hidden_layers": (64, 64), "l2": 0.0}  # fmt: skip


def _early(rng: np.random.Generator) -> dict[str, object]:
    if rng.integers(2):
        return {"epochs": int(rng.integers(1, 4)), "learning_rate": 1e-3}
    return {"patience": 1, "min_delta": float(rng.choice([0.2, 0.3])), "learning_rate": 1e-3}


def _nothing(rng: np.random.Generator) -> dict[str, object]:
    return {}


ILLNESSES: dict[str, Callable[[np.random.Generator], dict[str, object]]] = {
    "diverging": _diverging,
    "learning rate too low": _slow,
    "underfitting": _underfitting,
    "overfitting": _overfitting,
    "vanishing gradients": _vanishing,
    "dead units": _dying,
    "saturated units": _saturated,
    "stopped too early": _early,
    "leak": _nothing,
    "label noise": _nothing,
    "healthy": _nothing,
}


TARGETS: dict[str, str] = {}  #: the column to predict, of data sets that are files


def table_of(name: str, illness: str, seed: int) -> tuple[pl.DataFrame, str]:
    """A data set's rows, sampled, and what the illness makes of them; and its target."""
    rng = generator(seed, "rows", name, illness)
    if name in TARGETS:
        table, target = read_table(name), TARGETS[name]
    else:
        table, target = bundled(name)
    most = 400 if illness == "overfitting" else ROWS
    frame = table.frame[rng.permutation(table.frame.height)[:most]]
    if illness == "overfitting":  # something to learn by heart: a target that inputs do not tell
        frame = frame.with_columns(_blurred(frame[target], rng))
    if illness == "leak":
        frame = frame.with_columns(_leak(frame[target], rng))
    if illness == "label noise":
        frame = frame.with_columns(_noisy(frame[target], rng, float(rng.choice([0.25, 0.3, 0.35]))))
    return frame, target


def _leak(target: pl.Series, rng: np.random.Generator) -> pl.Series:
    """A column that gives the target away, but for a little noise."""
    numbers = target.cast(pl.Float64, strict=False)
    if numbers.null_count() == 0 and numbers.n_unique() > 50:
        values = numbers.to_numpy()
        noise = 0.02 * values.std() * rng.normal(size=len(values))
        return pl.Series("reference", 3.0 * values + noise)
    ranks = target.rank("dense").to_numpy().astype(float)
    wrong = rng.random(len(ranks)) < 0.01
    ranks[wrong] = rng.permutation(ranks)[: wrong.sum()]
    return pl.Series("reference", ranks + 0.1 * rng.normal(size=len(ranks)))


def _blurred(target: pl.Series, rng: np.random.Generator) -> pl.Series:
    """A few labels moved, too few to call all of them in doubt; or numbers with noise added."""
    if target.dtype.is_float():
        return target + float(target.std()) * 0.7 * rng.normal(size=len(target))
    return _noisy(target, rng, 0.1)


def _noisy(target: pl.Series, rng: np.random.Generator, share: float) -> pl.Series:
    """This share of labels moved to another class."""
    known = target.unique().sort()
    several = len(known)
    place = (target.rank("dense") - 1).to_numpy().astype(int)
    wrong = rng.random(len(place)) < share
    place[wrong] = (place[wrong] + rng.integers(1, several, wrong.sum())) % several
    return known[place].alias(target.name)


def planted(name: str, illness: str, seed: int, folder: Path) -> str:
    """Train a network that is ill in this way, on a shelf in `folder`; its copy id.

    Whether units died or saturated, or rows were learned by heart, is seen only once it is trained:
    one that was spared is planted anew.
    """
    frame, target = table_of(name, illness, seed)
    path = folder / "rows.parquet"
    frame.write_parquet(path)
    start = Configuration(epochs=1)
    record = train(path, target=target, configuration=start, shelf=folder / "shelf").record
    for attempt in range(100):
        rng = generator(seed, "settings", name, illness, attempt)
        settings = {**healthy(rng), **ILLNESSES[illness](rng)}
        with Shelf.open(folder / "shelf") as shelf:
            study = shelf.study(record.study)
            problem = problem_of(shelf, study)
            configuration = Configuration(**settings).for_task(problem.task)
            wanted = Wanted(configuration, derive(seed, "plant", attempt))
            beside = study_beside(shelf, study)
            found = train_beside(shelf, beside, problem, [wanted], workers=1)[wanted.key]
            x = problem.prepared(SEARCH_SPLIT, configuration).data.x[:500]
            curve = shelf.curve(found.study, found.number)
            if _is_ill(illness, Model.from_record(shelf, found), x, curve):
                return found.copy
    raise AssertionError(f"no network of {name} came out with {illness}")


def _activations(model: Model, x: np.ndarray) -> Iterator[np.ndarray]:
    """What hidden layers answer, in plain NumPy."""
    weights, biases = model.network.weights()
    act = {"relu": lambda z: np.maximum(z, 0.0), "tanh": np.tanh}
    for weight, bias in list(zip(weights, biases, strict=True))[:-1]:
        x = act[model.configuration.word("activation")](x @ weight + bias)
        yield x


def _is_ill(illness: str, model: Model, x: np.ndarray, curve: Sequence[CurvePoint]) -> bool:
    """Whether an illness that only training can bring came, by a plain look at the network."""
    if illness == "dead units":
        return any((each == 0).all(axis=0).mean() > 0.7 for each in _activations(model, x))
    if illness == "saturated units":
        return any((np.abs(each) > 0.99).mean() > 0.7 for each in _activations(model, x))
    if illness == "overfitting":
        losses = [each.validation_loss for each in curve]
        least = int(np.argmin(losses))
        return least < len(losses) / 2 and np.median(losses[-25:]) > 1.5 * losses[least]
    return True
