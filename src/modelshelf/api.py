"""What a person imports: `tune` searches, `train` trains one network."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from joblib import cpu_count

from modelshelf.core.errors import SettingError
from modelshelf.core.seeds import checked
from modelshelf.data.dataset import Dataset, Table
from modelshelf.data.metrics import metric_for
from modelshelf.data.read import Sample, from_memory, read_table, usual_target
from modelshelf.data.read.given import from_arrays, from_torch, is_torch_data
from modelshelf.data.understand import understand
from modelshelf.engines import kernels
from modelshelf.engines.torch_.devices import find_device
from modelshelf.space.configuration import Configuration
from modelshelf.space.defaults import FOR_POPULATIONS
from modelshelf.space.images import for_images, refuse_convolutions
from modelshelf.space.space import Space
from modelshelf.study import Model, Observer, Request, Stopper, StudyResult, run_study
from modelshelf.study.budget import Budget, Clock
from modelshelf.study.engines import HANG_SECONDS, POPULATION, Engines, missing, stackable
from modelshelf.study.modules import Declared, declare
from modelshelf.study.pareto import Prefer
from modelshelf.study.progress import interruptible
from modelshelf.study.single import train_and_shelve, train_one
from modelshelf.study.testing import DEFAULT_FRACTION, TestSet

__all__ = ["request", "train", "tune"]


def tune(
    X: Any,
    y: Any = None,
    *,
    target: str | None = None,
    time_limit: str | float | None = None,
    trials: int | None = None,
    seed: int = 0,
    metric: str | None = None,
    task: str = "auto",
    folds: int | None = None,
    test: Any = None,
    space: Space | Mapping[str, Any] | str | Path | None = None,
    prefer: str = "best",
    until_no_gain: str | float | bool | None = None,
    module: Any = None,
    workers: int | None = None,
    device: str = "auto",
    hang_seconds: float = HANG_SECONDS,
    shelf: str | Path | None = None,
    study: str | None = None,
    warm_start: bool = False,
    columns: Mapping[str, str] | None = None,
    rows: int | None = None,
    allow_wide: bool = False,
    observer: Observer | None = None,
) -> StudyResult:
    """Train many networks on a table, put each on the shelf, and name the best one honestly.

    Args:
        X: A table (rows, columns): a data frame, a 2-D array, or the path of a file. Or images: an
            array (rows, height, width) or (rows, height, width, colours), or a folder's path.
        y: The target (rows,); or leave it out and name the column with `target`.
        target: The target's column in `X`.
        time_limit: Seconds for everything, or text such as `"10m"`; 60 s if nothing is said.
        trials: In its place, how many networks to start: then the same seed gives the same
            answer, with any number of workers.
        seed: Every random draw follows from it.
        metric: `accuracy`, `auc`, `rmse`, …; accuracy or rmse if nothing is said.
        task: `auto`, `binary`, `multiclass` or `regression`.
        folds: On how many folds finalists are re-tested.
        test: A share of the rows to set apart (0.2), a table, its `(X, y)`, or the path of one; 0
            for none.
        space: What to search: a `Space`, its settings, or the path of a TOML or Python file
            (a Python file is executed, and defines `space`).
        prefer: `best`; or `small` or `fast`: of the finalists whose re-tests are within the noise
            of the best one's, the one with the fewest parameters, or the least work to answer.
            The search is the same: the same study may be asked again with another.
        until_no_gain: Stop when twice the time is expected to gain less than this: a share of
            what is left (`"1%"`, or `True`), or a number in the metric's unit. `time_limit` is
            then the most it takes; an hour if nothing is said.
        module: In place of our own networks, a PyTorch module: a class or a function that
            returns one, whose arguments join the space; a module; or `"file.py:NAME"` (the file
            is executed). Arrays, tensors, a `Dataset` or a `DataLoader` go in as they are.
        workers: Networks trained at a time; if nothing is said, all cores, or 64 on a GPU.
        device: `auto` (a GPU where PyTorch has one), `cpu`, `cuda` or `mps`. On a GPU, networks of
            equal shape are trained together.
        shelf: Where to keep everything; `$MODELSHELF_SHELF`, else `./.modelshelf`.
        study: A name for the study. The same data and settings go on with the same study; by its
            name, a study goes on with another space too.
        warm_start: Begin a new study with what did best in studies of similar data on the shelf.
        columns: Column kinds that overrule what was understood: numeric, categorical, date, text,
            ignore.
        rows: So many of the table's rows, sampled at random by the seed; all if nothing is said.
        allow_wide: Allow more columns than rows.
        observer: Called with a `Progress` while the study runs.

    Returns:
        A `StudyResult`; its `model` is the winner, its `ensemble_model` the ensemble.

    Raises:
        UserError: For data, settings or a shelf that cannot be used; the message says what to do.
        KeyboardInterrupt: On Ctrl-C, after the study was put away; the same call goes on.

    Example:
        >>> from sklearn.datasets import load_iris
        >>> X, y = load_iris(return_X_y=True)
        >>> result = tune(X, y, trials=10, shelf=tmp_path)  # doctest: +SKIP
        >>> result.model.predict(X[:2])  # doctest: +SKIP
    """
    clock = Clock()
    kernels.begin()  # beside what is read
    declared = None if module is None else declare(module)
    sample = Sample.asked(rows, seed)
    table, column, declared = _given(X, y, target, declared, sample, columns or {})
    asked = request(
        table,
        column,
        budget=Budget.of(time_limit, trials, until_no_gain),
        seed=seed,
        metric=metric,
        task=task,
        folds=folds,
        test=test,
        space=space,
        prefer=prefer,
        workers=workers,
        device=device,
        shelf=shelf,
        module=declared,
        hang_seconds=hang_seconds,
        study=study,
        warm_start=warm_start,
        columns=columns,
        allow_wide=allow_wide,
    )
    del table  # which may be larger than what was understood of it
    stopper = Stopper()
    silent: Observer = lambda progress: None  # noqa: E731
    with interruptible(stopper):
        return run_study(asked, clock=clock, observer=observer or silent, stopper=stopper)


def train(
    X: Any,
    y: Any = None,
    configuration: Configuration | None = None,
    *,
    target: str | None = None,
    seed: int = 0,
    task: str = "auto",
    metric: str | None = None,
    module: Any = None,
    hang_seconds: float = HANG_SECONDS,
    columns: Mapping[str, str] | None = None,
    rows: int | None = None,
    shelf: str | Path | None = None,
) -> Model:
    """Train one network, without a search. A fifth of the rows validates it.

    Arguments are those of `tune`; of a `module`, the configuration holds its arguments, such as
    `Configuration(**{"module.width": 64})`, where they are not its defaults. The network is
    returned; its `record` holds what it reached. With a `shelf` it is put there, unless the very
    same lies there already: then that one is returned.

    Raises `UserError` for data or settings that cannot be used, and where training diverges in its
    first epoch; `MemberError` where a network of PyTorch's cannot be trained.
    """
    seed, configuration, own = checked(seed), configuration or Configuration(), None
    declared = None if module is None else declare(module)
    sample = Sample.asked(rows, seed)
    table, column, declared = _given(X, y, target, declared, sample, columns or {})
    if declared is not None:
        given = {name: configuration.value(name) for name in configuration.given}
        configuration, own = declared.configuration(given)
    dataset = understand(table, column, task, columns or {})
    del table
    found = metric_for(metric, dataset.schema.task)
    configuration = configuration.for_text(dataset.schema.texts)
    configuration.refuse_idle()
    if not dataset.schema.image:
        refuse_convolutions(configuration.word("network"))
    with closing(Engines(own=own, hang_seconds=hang_seconds)) as engines:
        if shelf is None:
            return train_one(dataset, found, configuration, seed=seed, engines=engines).model
        return train_and_shelve(
            dataset, found, configuration, seed=seed, shelf=shelf, engines=engines
        ).model


def request(
    table: Table,
    target: str,
    *,
    budget: Budget,
    seed: int = 0,
    metric: str | None = None,
    task: str = "auto",
    folds: int | None = None,
    test: Any = None,
    space: Space | Mapping[str, Any] | str | Path | None = None,
    prefer: str = "best",
    workers: int | None = None,
    device: str = "auto",
    module: Declared | None = None,
    hang_seconds: float = HANG_SECONDS,
    shelf: str | Path | None = None,
    study: str | None = None,
    warm_start: bool = False,
    columns: Mapping[str, str] | None = None,
    allow_wide: bool = False,
    command: str = "",
) -> Request:
    """Check everything that was asked for, before anything is made or trained."""
    seed = checked(seed)
    for word, count, least in (("folds", folds, 2), ("workers", workers, 1)):
        if count is not None and (isinstance(count, bool) or count < least):
            raise SettingError(f"{word} is {count!r}: expected a whole number from {least} on.")
    found = find_device(device)
    dataset = understand(table, target, task, columns or {}, allow_wide)
    schema = dataset.schema
    if space is None and module is None and found.is_gpu and device != "auto":
        space = FOR_POPULATIONS if schema.tabular else None
    searched, own = (_space(space), None) if module is None else module.space(space)
    if schema.texts:
        searched = searched.for_text(dataset.rows, schema.texts == len(schema.inputs))
    if not schema.image:
        refuse_convolutions(searched.given.get("network"))
    elif own is None:
        searched = for_images(searched, schema.shape, torch=not missing())
    # Left to itself, a study whose networks share no stacks is quicker on the CPU.
    dense = searched.fixed.get("network", "dense") == "dense" and "network" not in searched.varied
    stacked = found.is_gpu and dense and (device != "auto" or stackable(searched))
    asked = Request(
        dataset=dataset,
        metric=metric_for(metric, schema.task),
        budget=budget,
        seed=seed,
        space=searched,
        test=_test(test, target, as_it_is=table.tensor is not None and not table.tensor.image),
        folds=_folds(folds, dataset),
        prefer=Prefer.of(prefer),
        workers=workers or (POPULATION if stacked else int(cpu_count())),
        device=found.name,
        stacked=stacked,
        own=own,
        hang_seconds=_seconds(hang_seconds),
        shelf=shelf,
        name=study,
        warm_start=warm_start,
        command=command,
    )
    asked.test.part(dataset, seed)  # a test file that does not fit is found out before any training
    return asked


def _folds(folds: int | None, dataset: Dataset) -> int:
    if folds is not None and folds > dataset.rows // 2:
        raise SettingError(f"folds is {folds}, and there are only {dataset.rows} rows.")
    return folds or 0


def _space(space: Space | Mapping[str, Any] | str | Path | None) -> Space:
    if isinstance(space, Space):
        return space
    if isinstance(space, (str, Path)):
        return Space.from_file(space)
    return Space.of({} if space is None else space)


def _seconds(given: float) -> float:
    if isinstance(given, bool) or not isinstance(given, (int, float)) or not given > 0:
        raise SettingError(f"hang_seconds is {given!r}: expected a number of seconds above 0.")
    return float(given)


def _test(test: Any, target: str, as_it_is: bool) -> TestSet:
    """A test set from a share, a path, a table, or (X, y); text that is a number is a share."""
    if test is None:
        return TestSet(DEFAULT_FRACTION)
    if isinstance(test, (str, Path)):
        try:
            return TestSet(float(str(test)))
        except ValueError:
            return TestSet(table=read_table(test))
    if isinstance(test, (int, float)) and not isinstance(test, bool):
        return TestSet(float(test))
    if is_torch_data(test):
        return TestSet(table=from_torch(test, target)[0])
    if isinstance(test, tuple) and len(test) == 2:
        rows = from_arrays(*test, target) if as_it_is else None
        return TestSet(table=(rows or from_memory(*test, target))[0])
    return TestSet(table=test if isinstance(test, Table) else from_memory(test)[0])


def _given(
    X: Any,
    y: Any,
    target: str | None,
    declared: Declared | None,
    sample: Sample | None,
    columns: Collection[str],
) -> tuple[Table, str, Declared | None]:
    """The table, its target's name, and the module: a loader says how large its batches are."""
    if isinstance(X, (str, Path)):
        return *_read(X, target, sample, columns), declared
    if is_torch_data(X):
        if declared is None:
            raise SettingError("A Dataset or DataLoader goes with module=…: give it, or arrays.")
        if y is not None:
            raise SettingError("A Dataset holds its own targets: leave y out.")
        table, column, size = from_torch(X, target)
        declared = declared.with_batch_size(size)
    else:
        found = None if declared is None else from_arrays(X, y, target)
        table, column = found or _table(X, y, target)
    return table if sample is None else sample.drawn(table), column, declared


def _table(X: Any, y: Any, target: str | None) -> tuple[Table, str]:
    if isinstance(X, Table) and (found := target or usual_target(X)) is not None:
        return X, found
    return from_memory(X, y, target)


def _read(
    path: str | Path, target: str | None, sample: Sample | None, columns: Collection[str]
) -> tuple[Table, str]:
    table = read_table(path, sample, None if target is None else {target, *columns})
    target = target or usual_target(table)
    if target is None:
        raise SettingError("Name the column to predict: target='…'.")
    return table, target
