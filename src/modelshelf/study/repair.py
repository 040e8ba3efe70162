"""What a study has lost, made again from what is left: its log says how each network came to be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from modelshelf.core.errors import MemberError, ShelfError
from modelshelf.core.records import Status
from modelshelf.core.words import counted
from modelshelf.executors import Executor
from modelshelf.shelf import JobRecord, Shelf, StudyRecord, TrialFile
from modelshelf.study.loop import Loop
from modelshelf.study.problem import Problem
from modelshelf.study.trial import Leg
from modelshelf.study.work import Work

__all__ = ["Repair", "is_whole"]

_MOMENT = 0.1  # seconds that a network is waited for before a person is asked again


def is_whole(shelf: Shelf, record: StudyRecord) -> bool:
    """Whether all files are there that a study's rows and its result name."""
    if shelf.lost(record.name):
        return False
    together = [(record.result or {}).get(kind) or {} for kind in ("ensemble", "bag")]
    try:
        for name in {each.preparation for each in shelf.files(record.name).values()} - {""}:
            shelf.read_preparation(name)
        for name in {each["file"] for each in together if each.get("file")}:
            shelf.read_ensemble(name)
    except ShelfError:
        return False
    return True


@dataclass(frozen=True, eq=False)
class Repair:
    """Writes the files anew that a study's rows name, and that are gone or cut off.

    A network is trained from its first epoch to where it stood, and is the same to the bit where
    the machine and modelshelf are. What cannot be trained any more is left as it is.
    """

    problem: Problem
    shelf: Shelf
    study: str
    loop: Loop
    executor: Executor[Leg, Work]

    def run(self, over: Callable[[], bool], tell: Callable[[int, int], None]) -> tuple[str, ...]:
        """Make all of it again, until `over()`; returns what is to be said of it, in sentences."""
        files = self.shelf.files(self.study)
        prepared = self._preparations(files)
        lost = self.shelf.lost(self.study)
        legs = list(self._legs(lost))
        for leg in legs:
            self.executor.submit(leg)
        back, same = 0, 0
        while back < len(legs) and not over():
            tell(back, len(legs))
            done = self.executor.next(_MOMENT)
            if done is None:
                continue
            if done.error is not None and not isinstance(done.error, MemberError):
                raise done.error
            work = done.result
            back += 1
            if work is not None and work.file is not None:
                number = done.job.trial.number
                self.shelf.restore(self.study, number, work.file, work.copy)
                self.loop.files[number] = work.file
                same += work.file.checksum == files[number].file.checksum
        if over():
            self.executor.drop()
        return tuple(_told(len(lost), back, same, prepared))

    def _legs(self, lost: tuple[int, ...]) -> Iterator[Leg]:
        """For each trial all that it was trained for, in one leg."""
        last: dict[int, JobRecord] = {}
        for each in self.shelf.jobs(self.study):
            if each.outcome is not None and each.outcome.status is not Status.FAILED:
                last[each.job.trial] = each
        for number in lost:
            if number in last:
                job, outcome = last[number].job, last[number].outcome
                assert outcome is not None
                halted = outcome.status is Status.PAUSED and outcome.epoch < job.to_epoch
                end = outcome.epoch if halted else job.to_epoch
                yield Leg(replace(job, from_epoch=0, to_epoch=end), self.loop.trials[number])

    def _preparations(self, files: dict[int, TrialFile]) -> int:
        """Fit the preparations again that are missing or damaged; returns how many."""
        found, again = set[str](), 0
        for number, each in files.items():
            if each.preparation in found | {""}:
                continue
            found.add(each.preparation)
            try:
                self.shelf.read_preparation(each.preparation)
            except ShelfError:
                trial = self.loop.trials[number]
                made = self.problem.prepared(trial.split, trial.configuration).preparation
                again += self.shelf.write_preparation(*made.to_state()) == each.preparation
        return again


def _told(lost: int, back: int, same: int, prepared: int) -> Iterator[str]:
    if lost:
        bits = "to the same bits" if same == back else f"{same} of them to the same bits"
        files = "its file was" if lost == 1 else "their files were"
        yield (
            f"{counted(lost, 'network')} had been lost, for {files} gone or cut off: "
            f"{back} trained again, {bits}."
        )
    if prepared:
        yield f"{counted(prepared, 'preparation')} had been lost, and were fitted again."
