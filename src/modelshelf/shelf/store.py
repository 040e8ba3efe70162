"""The shelf: every study, trial, learning curve and trained network, in one folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from modelshelf.core.errors import ShelfError
from modelshelf.core.records import CurvePoint, Purpose, Status, TrialRecord
from modelshelf.shelf import reading, writing
from modelshelf.shelf.database import open_database
from modelshelf.shelf.fitting import column_of, undamaged
from modelshelf.shelf.place import locate
from modelshelf.shelf.records import (
    Completed,
    Job,
    JobRecord,
    NewTrial,
    StoredFile,
    StudyRecord,
    TrialFile,
)
from modelshelf.shelf.resolve import resolve
from modelshelf.shelf.schema import REMOVED
from modelshelf.shelf.schema import trial as trial_table
from modelshelf.shelf.upkeep import Upkeep

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Arrays = dict[str, NDArray[Any]]

__all__ = ["Shelf"]


class Shelf(Upkeep):
    """A folder with all that was trained. Open it with `Shelf.open`, as a context manager.

    Only the thread that opened a shelf may use it, but for `write_network`, `read_network` with a
    file, `write_preparation` and `read_preparation`: these touch files alone, and any thread may
    call them.

    >>> import tempfile
    >>> with Shelf.open(tempfile.mkdtemp(), create=True) as shelf:
    ...     shelf.studies()
    ()
    """

    @staticmethod
    def locate(where: str | Path | None = None) -> Path:
        """The shelf's folder: the one given, else `MODELSHELF_SHELF`, else `./.modelshelf`."""
        return locate(where)

    @classmethod
    def open(cls, where: str | Path | None = None, *, create: bool = False) -> Shelf:
        """Open a shelf; with `create`, make it where there is none.

        Without `create`, a shelf that cannot be written is opened for reading.

        Raises `ShelfError` where there is none, where something else is in its place, and where
        it is damaged, of a newer modelshelf, or (with `create`) read-only. What was there is then
        left as it was.
        """
        database = open_database(locate(where), create=create)
        try:
            return cls(database)
        except BaseException:
            database.close()
            raise

    def __enter__(self) -> Shelf:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the shelf. Closing it twice does no harm."""
        self._database.close()

    # ---- studies

    def studies(self) -> tuple[StudyRecord, ...]:
        """Every study, oldest first."""
        return self._studies.all()

    def study(self, name: str) -> StudyRecord:
        """The study of this name, or the only one whose name begins so.

        Raises `ShelfError`, with the nearest name, where there is none or there are several.
        """
        return self._studies.named(name)

    def find_study(self, key: str) -> StudyRecord | None:
        """The newest study that this key defines, if there is one."""
        return self._studies.keyed(key)

    def add_study(self, record: StudyRecord) -> None:
        """Put a new study on the shelf. Raises `ShelfError` where its name is taken."""
        self._studies.add(record)

    def update_study(
        self,
        name: str,
        *,
        status: str | None = None,
        seconds: float | None = None,
        result: Mapping[str, object] | None = None,
        test_uses: int | None = None,
        key: str | None = None,
        settings: Mapping[str, object] | None = None,
        understood: tuple[str, ...] | None = None,
    ) -> None:
        """Change what is given of a study."""
        changes = {"status": status, "seconds": seconds, "result": result, "test_uses": test_uses}
        told = {"key": key, "settings": settings, "understood": understood}
        self._studies.update(name, {**changes, **told})

    # ---- writing

    def write(
        self,
        study: str,
        *,
        trials: Sequence[NewTrial] = (),
        jobs: Sequence[Job] = (),
        completed: Sequence[Completed] = (),
        retired: Sequence[tuple[int, int]] = (),
        seconds: float | None = None,
    ) -> None:
        """Write all that is given, in this order, in one transaction: all of it or none.

        A trial for which a further job is dispatched is running again. `retired` holds (job
        number, place in the order of retirement).

        What is `completed` survives a power cut once this returns: first the files, then their
        folders, then the transaction reach the disk. A file that a trial had before is deleted
        after that. A transaction without anything completed holds plans alone; a power cut may
        undo it, and nothing that came after it is then left either.

        Raises `ShelfError` where it cannot be written, where a job was done before, or retires
        without being done.
        """
        number = self._studies.id(study)
        batch = writing.Batch(trials, jobs, completed, retired, seconds)
        self._files.sync(each.file.name for each in completed if each.file is not None)
        with self._database.writing(durable=bool(completed)) as connection:
            superseded = writing.write(connection, number, batch)
        self._files.remove(superseded)

    def mark(self, study: str, trials: Sequence[int], status: Status) -> None:
        """Set the status of trials, as from paused to stopped when their study ends."""
        number = self._studies.id(study)
        with self._database.writing() as connection:
            writing.mark(connection, number, trials, status)

    # ---- reading

    def trials(
        self,
        study: str | None = None,
        *,
        purpose: Purpose | None = None,
        limit: int | None = None,
        sort: str = "score",
    ) -> tuple[TrialRecord, ...]:
        """Trials of one study, or of all, the best score first.

        `sort` may be score, loss, seconds, size, parameters, epoch (the least first, but for a
        score that is to be high), number or newest. What has no score comes last.
        """
        query = reading.sorted_by(reading.TRIALS, sort)
        if study is not None:
            query = query.where(trial_table.c.study_id == self._studies.id(study))
        if purpose is not None:
            query = query.where(trial_table.c.purpose == purpose.value)
        return reading.trials(self._database, query.limit(limit))

    def trial(self, study: str, number: int) -> TrialRecord:
        """One trial. Raises `ShelfError` where the study has none of this number."""
        query = reading.TRIALS.where(*self._this(study, number))
        found = reading.trials(self._database, query)
        if not found:
            raise self._no_trial(study, number)
        return found[0]

    def resolve(self, prefix: str) -> tuple[TrialRecord, ...]:
        """All trials of the one configuration, or copy, whose barcode begins so, best first.

        Raises `BarcodeError` where that names nothing, or several different barcodes.
        """
        return resolve(self._database, prefix)

    def curve(self, study: str, number: int) -> tuple[CurvePoint, ...]:
        """A trial's learning curve, first epoch first; empty where it has none."""
        return reading.curve_of(self._database, self._studies.id(study), number)

    def curves(self, study: str) -> dict[int, NDArray[Any]]:
        """The curves of all trials of a study, by number: training loss, validation loss and score
        of each epoch, float64 (epochs, 3); NaN where there was none.
        """
        return reading.curves_of(self._database, self._studies.id(study))

    def jobs(self, study: str) -> tuple[JobRecord, ...]:
        """A study's log: every job, in order of dispatch."""
        return reading.jobs(self._database, self._studies.id(study))

    def counts(self, study: str) -> dict[Status, int]:
        """How many search trials of a study stand where; every status is there."""
        return reading.counts(self._database, self._studies.id(study))

    def files(self, study: str) -> dict[int, TrialFile]:
        """The files of a study's trials, by number; a trial without one is left out."""
        return reading.files(self._database, self._studies.id(study))

    # ---- files

    def write_network(
        self,
        study: str,
        trial: int,
        epoch: int,
        tensors: Mapping[str, NDArray[Any]],
        metadata: Mapping[str, str],
    ) -> StoredFile:
        """Write a network's file, from any thread. It counts once a `Completed` names it."""
        return self._files.write_network(self._studies.id(study), trial, epoch, tensors, metadata)

    def read_network(
        self, trial: TrialRecord | tuple[str, int], file: StoredFile | None = None
    ) -> tuple[Arrays, dict[str, str]]:
        """A trial's arrays and metadata, exactly as they were written.

        With its `file`, any thread may ask.

        Raises `ShelfError` where there is no such network, or its file is missing or damaged.
        """
        study, number = trial if isinstance(trial, tuple) else (trial.study, trial.number)
        wanted = file or self._file(study, number).file
        try:
            return self._files.read_network(wanted.name, wanted.checksum)
        except FileNotFoundError:
            pass
        if file is None:
            # A study at work may have put a newer file in its place since we asked.
            newer = self._file(study, number).file
            if newer != wanted:
                return self.read_network(trial, newer)
        raise ShelfError(
            f"The network of trial {number} of study {study!r} is missing: there is no file "
            f"{wanted.name} on the shelf at {self.path}. Put back a copy of it; "
            "`modelshelf shelf --check` lists all that is missing."
        )

    def write_preparation(
        self, json: Mapping[str, object], arrays: Mapping[str, NDArray[Any]]
    ) -> str:
        """Write a preparation, from any thread; the same content is written once.

        Returns its name. Raises `TypeError` for what JSON, or an array of numbers, cannot hold.
        """
        return self._files.write_described("preparation", json, arrays)

    def read_preparation(self, name: str) -> tuple[dict[str, Any], Arrays]:
        """A preparation, from any thread. Raises `ShelfError` where it is missing or damaged."""
        return self._files.read_described("preparation", name)

    def write_ensemble(self, json: Mapping[str, object], arrays: Mapping[str, NDArray[Any]]) -> str:
        """Write an ensemble: all its networks in one file, which nothing sweeps or replaces.

        Its members' own files may be: a study that goes on trains a paused member further. Returns
        the file's name, for the study's result to hold.
        """
        return self._files.write_described("ensemble", json, arrays)

    def read_ensemble(self, name: str) -> tuple[dict[str, Any], Arrays]:
        """An ensemble. Raises `ShelfError` where it is missing or damaged."""
        return self._files.read_described("ensemble", name)

    def preparation_of(self, study: str, number: int) -> str:
        """The name of the preparation that a trial was trained with; empty where it has none."""
        query = select(trial_table.c.preparation).where(*self._this(study, number))
        with self._database.reading() as connection, undamaged(self.path):
            found = column_of(connection, query)
        if not found:
            raise self._no_trial(study, number)
        return str(found[0])

    def _this(self, study: str, number: int) -> tuple[Any, Any]:
        number_of = trial_table.c.study_id == self._studies.id(study)
        return number_of, trial_table.c.number == number

    def _file(self, study: str, number: int) -> TrialFile:
        found = reading.files(self._database, self._studies.id(study), number).get(number)
        if found is None:
            status = self.trial(study, number).status.value
            query = select(trial_table.c.checksum).where(*self._this(study, number))
            with self._database.reading() as connection:
                removed = connection.execute(query).scalar() == REMOVED
            raise ShelfError(
                f"Trial {number} of study {study!r} has no network on the shelf at {self.path} "
                f"({'it was removed' if removed else f'it is {status}'})."
            )
        return found

    def _no_trial(self, study: str, number: int) -> ShelfError:
        return ShelfError(
            f"Study {study!r} on the shelf at {self.path} has no trial {number}. "
            "`modelshelf shelf` lists what is there."
        )
