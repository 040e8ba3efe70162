from __future__ import annotations

import math
import threading
from pathlib import Path

import numpy as np
import pytest

from modelshelf.core.errors import ShelfError
from modelshelf.core.records import Direction, Purpose, Status
from modelshelf.shelf import Completed, Job, Shelf, StoredFile
from tests.shelf.helpers import fill, leg, new_trial, outcome, study


def test_a_study_comes_back_as_it_went(shelf: Shelf) -> None:
    record = study("a", created="2026-01-01T00:00:00+00:00", result={"winner": None, "x": [1.5]})
    shelf.add_study(record)
    assert shelf.study("a") == record
    assert shelf.studies() == (record,)
    assert shelf.find_study("key of a") == record
    assert shelf.find_study("another") is None


def test_a_study_says_when_it_was_made(kept: Shelf) -> None:
    assert kept.study("a").created.endswith("+00:00")


def test_a_study_is_updated_by_what_is_given(kept: Shelf) -> None:
    before = kept.study("a")
    kept.update_study("a", seconds=0.1 + 0.2, test_uses=1)
    kept.update_study("a", status="done", result={"test": math.inf, "std": math.nan})
    kept.update_study("a")
    after = kept.study("a")
    assert (after.seconds, after.test_uses, after.status) == (0.1 + 0.2, 1, "done")
    assert after.result is not None
    assert after.result["test"] == math.inf
    assert math.isnan(after.result["std"])  # type: ignore[arg-type]
    assert (after.settings, after.key) == (before.settings, before.key)


def test_the_newest_study_of_a_key_is_found(shelf: Shelf) -> None:
    for name in ("first", "second"):
        shelf.add_study(study(name, key="same"))
    found = shelf.find_study("same")
    assert found is not None
    assert found.name == "second"


def test_the_beginning_of_a_name_is_enough_where_it_is_of_one(shelf: Shelf) -> None:
    for name in ("digits", "digits-2", "wine", "100%_sure"):
        shelf.add_study(study(name))
    assert shelf.study("wi").name == "wine"
    assert shelf.study("digits").name == "digits"
    assert shelf.study("100%_").name == "100%_sure"
    with pytest.raises(ShelfError, match=r"beginning of 2 studies: 'digits', 'digits-2'\."):
        shelf.study("dig")
    with pytest.raises(ShelfError, match="did you mean 'wine'"):
        shelf.study("wien")
    with pytest.raises(ShelfError, match="no study '%'"):
        shelf.study("%")
    with pytest.raises(ShelfError, match="no study ''"):
        shelf.study("")
    with pytest.raises(ShelfError, match="no study 'wi'"):
        shelf.trials("wi")


def test_a_name_is_taken_once(kept: Shelf) -> None:
    with pytest.raises(ShelfError, match=r"a study 'a' .* already"):
        kept.add_study(study())
    assert len(kept.studies()) == 1


HOSTILE = [
    "Größe 数据 🧠",
    "../../../etc/passwd",
    "/absolute",
    "'; DROP TABLE study; --",
    '"quoted" and `ticked`',
    "x" * 100_000,
    "line\nbreak\ttab",
    "null\0inside",
    ":name %s ? $1 [b]",
    " ",
]


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_a_study_may_have_any_name(shelf: Shelf, name: str) -> None:
    shelf.add_study(study("other"))
    fill(shelf, 1, name)
    with shelf.lock(name):
        assert shelf.sweep(name) == 0
    assert shelf.study(name).name == name
    assert shelf.trial(name, 0).study == name
    assert shelf.read_network((name, 0))[1] == {"n": "0"}
    assert shelf.check() == ()
    top = {each.name for each in shelf.path.iterdir()}
    assert top <= {"shelf.sqlite", "shelf.sqlite-wal", "shelf.sqlite-shm", "networks"} | {
        "preparations",
        "locks",
    }
    assert [each.name for each in (shelf.path / "networks").iterdir()] == ["2"]


def test_a_name_that_is_no_text_is_refused(shelf: Shelf) -> None:
    with pytest.raises(ShelfError, match="cannot hold what was to be written"):
        shelf.add_study(study("\ud800"))
    with pytest.raises(ShelfError, match="cannot hold what was to be written"):
        shelf.add_study(study("big", seed=2**64))
    assert shelf.studies() == ()


def test_a_trial_from_its_start_to_its_end(kept: Shelf) -> None:
    new = new_trial(0, parameters=99)
    kept.write("a", trials=[new], jobs=[Job(0, 0, 0, 0, 3, keep=0.25)])
    started = kept.trial("a", 0)
    assert (started.status, started.epoch, started.size) == (Status.RUNNING, 0, 0)
    assert math.isnan(started.score)
    assert started.configuration == new.configuration
    assert (started.barcode, started.copy, started.seed) == (new.barcode, new.copy, new.seed)
    with pytest.raises(ShelfError, match=r"Trial 0 of study 'a' has no network .* \(it is running"):
        kept.read_network(("a", 0))

    first = leg(kept, 0, 0, 1, 3)
    kept.write("a", completed=[first], retired=[(0, 0)], seconds=1.5)
    assert kept.trial("a", 0).status is Status.PAUSED
    kept.write("a", jobs=[Job(1, 0, 1, 3, 9)])
    assert kept.trial("a", 0).status is Status.RUNNING

    second = leg(kept, 1, 0, 4, 9, Status.FINISHED, best_epoch=7)
    kept.write("a", completed=[second])
    ended = kept.trial("a", 0)
    assert second.file is not None
    assert (ended.status, ended.epoch, ended.best_epoch) == (Status.FINISHED, 9, 7)
    assert (ended.loss, ended.score) == (second.outcome.loss, second.outcome.score)
    assert (ended.seconds, ended.steps) == (0.1 + 0.1, 20)
    assert (ended.size, ended.parameters) == (second.file.size, 99)
    assert kept.files("a")[0].file == second.file
    assert kept.files("a")[0].preparation == second.preparation == kept.preparation_of("a", 0)
    assert repr(kept.curve("a", 0)) == repr(first.outcome.curve + second.outcome.curve)
    assert kept.study("a").seconds == 1.5
    assert kept.check() == ()


def test_the_log_tells_where_a_study_is(kept: Shelf) -> None:
    jobs = [Job(0, 0, 0, 0, 3), Job(1, 1, 0, 0, 3, keep=-0.125), Job(2, 2, 0, 0, 3)]
    kept.write("a", trials=[new_trial(n) for n in range(3)], jobs=jobs)
    done = [leg(kept, 2, 2, 1, 3, score=math.nan), leg(kept, 0, 0, 1, 3, loss=math.inf)]
    kept.write("a", completed=done, retired=[(2, 0)])
    log = kept.jobs("a")
    assert [each.job for each in log] == jobs
    assert log[0].job.keep == math.inf
    assert [each.retired for each in log] == [None, None, 0]
    assert log[1].outcome is None
    assert log[0].outcome is not None
    assert log[0].outcome.loss == math.inf
    assert log[0].outcome.curve == ()
    assert log[2].outcome is not None
    assert math.isnan(log[2].outcome.score)
    assert log[2].outcome.status is Status.PAUSED


@pytest.mark.parametrize(
    "number", [0.1 + 0.2, 5e-324, 1.7976931348623157e308, math.inf, -math.inf, 1 / 3, 2.0**53 + 2]
)
def test_floats_come_back_to_the_bit(kept: Shelf, number: float) -> None:
    kept.write("a", trials=[new_trial(0)], jobs=[Job(0, 0, 0, 0, 1)])
    ended = outcome(1, 1, Status.FINISHED, loss=number, score=np.float64(number))
    kept.write("a", completed=[Completed(0, 0, ended, None)])
    assert kept.trial("a", 0).loss == number
    assert kept.trial("a", 0).score == number
    assert type(kept.trial("a", 0).score) is float


def test_a_failed_job_keeps_the_network_of_the_last_rung(kept: Shelf) -> None:
    kept.write("a", trials=[new_trial(0)], jobs=[Job(0, 0, 0, 0, 3)])
    kept.write("a", completed=[leg(kept, 0, 0, 1, 3)], jobs=[Job(1, 0, 1, 3, 9)])
    before = kept.trial("a", 0)
    failed = outcome(1, 0, Status.FAILED, reason="not enough memory", seconds=2.0, steps=0)
    kept.write("a", completed=[Completed(1, 0, failed, None)])
    after = kept.trial("a", 0)
    assert (after.status, after.reason) == (Status.FAILED, "not enough memory")
    assert (after.epoch, after.score, after.size) == (3, before.score, before.size)
    assert after.seconds == 0.1 + 2.0
    assert kept.jobs("a")[1].outcome is not None
    assert kept.read_network(("a", 0))[1] == {"n": "0"}
    assert kept.check() == ()


def test_what_completes_may_settle_copy_and_parameters(kept: Shelf) -> None:
    kept.write("a", trials=[new_trial(0), new_trial(1)], jobs=[Job(n, n, 0, 0, 1) for n in (0, 1)])
    ended = outcome(1, 1, Status.FINISHED)
    kept.write("a", completed=[Completed(0, 0, ended, None, copy="NEW", parameters=5)])
    kept.write("a", completed=[Completed(1, 1, ended, None)])
    assert [(t.copy, t.parameters) for t in kept.trials("a", sort="number")] == [
        ("NEW", 5),
        (new_trial(1).copy, 0),
    ]


def test_a_write_is_all_or_nothing(kept: Shelf) -> None:
    kept.write("a", trials=[new_trial(0)], jobs=[Job(0, 0, 0, 0, 3)])
    done = leg(kept, 0, 0, 1, 3)
    bad = [
        {"completed": [done], "retired": [(5, 0)]},
        {"completed": [done, done]},
        {"completed": [done], "trials": [new_trial(1), new_trial(1)]},
        {"completed": [done], "jobs": [Job(1, 77, 0, 0, 3)]},
        {"completed": [Completed(0, 1, done.outcome, done.file)], "trials": [new_trial(1)]},
    ]
    for each in bad:
        with pytest.raises(ShelfError):
            kept.write("a", seconds=9.0, **each)  # type: ignore[arg-type]
        assert kept.jobs("a")[0].outcome is None
        assert len(kept.jobs("a")) == len(kept.trials("a")) == 1
        assert kept.curve("a", 0) == ()
        assert kept.study("a").seconds == 0.0
    kept.write("a", completed=[done], retired=[(0, 0)])
    with pytest.raises(ShelfError, match="Job 0 cannot retire"):
        kept.write("a", retired=[(0, 1)])


def test_a_job_is_completed_once(kept: Shelf) -> None:
    kept.write("a", trials=[new_trial(0)], jobs=[Job(0, 0, 0, 0, 3)])
    failed = Completed(0, 0, outcome(1, 0, Status.FAILED), None)
    kept.write("a", completed=[failed])
    with pytest.raises(ShelfError, match="Job 0 of trial 0 cannot be completed"):
        kept.write("a", completed=[failed])
    assert kept.trial("a", 0).steps == 10


def test_a_place_in_the_order_is_taken_once(kept: Shelf) -> None:
    kept.write("a", trials=[new_trial(0), new_trial(1)], jobs=[Job(n, n, 0, 0, 1) for n in (0, 1)])
    done = [Completed(n, n, outcome(1, 1), None) for n in (0, 1)]
    with pytest.raises(ShelfError, match="refused"):
        kept.write("a", completed=done, retired=[(0, 0), (1, 0)])


def test_a_file_is_deleted_once_the_next_one_counts(kept: Shelf) -> None:
    kept.write("a", trials=[new_trial(0)], jobs=[Job(0, 0, 0, 0, 3)])
    first = leg(kept, 0, 0, 1, 3)
    kept.write("a", completed=[first], jobs=[Job(1, 0, 1, 3, 9)])
    assert first.file is not None
    second = leg(kept, 1, 0, 4, 9)
    assert second.file is not None
    with pytest.raises(ShelfError):
        kept.write("a", completed=[second], retired=[(9, 9)])
    assert (kept.path / first.file.name).exists()
    kept.write("a", completed=[second])
    assert not (kept.path / first.file.name).exists()
    assert (kept.path / second.file.name).exists()


def test_a_redo_of_the_same_leg_keeps_its_file(kept: Shelf) -> None:
    kept.write("a", trials=[new_trial(0)], jobs=[Job(0, 0, 0, 0, 3)])
    cut_off = leg(kept, 0, 0, 1, 3)
    redone = leg(kept, 0, 0, 1, 3)
    assert cut_off.file == redone.file
    kept.write("a", completed=[redone], jobs=[Job(1, 0, 1, 3, 9)])
    # It diverged in the first epoch of the next leg: the same epoch, and the same bytes.
    again = Completed(1, 0, outcome(4, 3, Status.DIVERGED), redone.file)
    kept.write("a", completed=[again])
    assert kept.read_network(("a", 0))[1] == {"n": "0"}
    assert kept.check() == ()


def test_a_file_that_a_row_names_is_never_changed(kept: Shelf) -> None:
    kept.write("a", trials=[new_trial(0)], jobs=[Job(0, 0, 0, 0, 3)])
    kept.write("a", completed=[leg(kept, 0, 0, 1, 3)], jobs=[Job(1, 0, 1, 3, 9)])
    other = kept.write_network("a", 0, 3, {"w": np.zeros(2)}, {})
    assert kept.check() == ()  # as if the process had been killed here
    kept.write("a", completed=[Completed(1, 0, outcome(4, 3, Status.DIVERGED), other)])
    assert kept.read_network(("a", 0))[0]["w"].tolist() == [0, 0]
    assert kept.check() == kept.orphans() == ()


def test_trials_are_sorted_filtered_and_limited(shelf: Shelf) -> None:
    shelf.add_study(study("up"))
    shelf.add_study(study("down", direction=Direction.MINIMIZE))
    scores = [0.5, math.nan, 0.9, 0.1]
    for name in ("up", "down"):
        purposes = [Purpose.SEARCH, Purpose.SEARCH, Purpose.RETEST, Purpose.SEARCH]
        new = [new_trial(n, purpose=purposes[n]) for n in range(4)]
        shelf.write(name, trials=new, jobs=[Job(n, n, 0, 0, 1) for n in range(4)])
        ended = [outcome(1, 1, Status.FINISHED, score=score) for score in scores]
        done = [Completed(n, n, each, None) for n, each in enumerate(ended)]
        shelf.write(name, completed=done)

    def numbers(name: str, **how: object) -> list[int]:
        return [t.number for t in shelf.trials(name, **how)]  # type: ignore[arg-type]

    assert numbers("up") == [2, 0, 3, 1]
    assert numbers("down") == [3, 0, 2, 1]
    assert numbers("down", limit=2) == [3, 0]
    assert numbers("up", purpose=Purpose.SEARCH) == [0, 3, 1]
    assert numbers("up", sort="number") == [0, 1, 2, 3]
    assert numbers("up", sort="newest") == [3, 2, 1, 0]
    assert len(shelf.trials()) == 8
    for sort in ("loss", "seconds", "size", "parameters", "epoch"):
        assert numbers("up", sort=sort) == [0, 1, 2, 3]
    with pytest.raises(ShelfError, match="did you mean 'score'"):
        shelf.trials(sort="scores")
    with pytest.raises(ShelfError, match="no trial 9"):
        shelf.trial("up", 9)
    with pytest.raises(ShelfError, match="no trial 9"):
        shelf.preparation_of("up", 9)


def test_counts_are_of_search_trials(kept: Shelf) -> None:
    new = [new_trial(0), new_trial(1), new_trial(2, purpose=Purpose.RETEST)]
    kept.write("a", trials=new)
    kept.mark("a", [0], Status.PAUSED)
    kept.mark("a", [], Status.FAILED)
    counts = kept.counts("a")
    assert set(counts) == set(Status)
    assert (counts[Status.PAUSED], counts[Status.RUNNING], sum(counts.values())) == (1, 1, 2)


def test_worker_threads_write_files_and_never_the_database(kept: Shelf) -> None:
    kept.write("a", trials=[new_trial(n) for n in range(2)])
    files: dict[tuple[int, int], StoredFile] = {}
    names, errors = set(), []

    def work(worker: int) -> None:
        try:
            for epoch in range(50):
                array = np.full((8, 8), epoch + 1000 * worker)
                files[worker, epoch] = kept.write_network("a", worker, epoch, {"w": array}, {})
                names.add(kept.write_preparation({"epoch": epoch}, {"m": np.arange(epoch)}))
                read, _ = kept.read_network(("a", worker), files[worker, epoch])
                assert (read["w"] == array).all()
        except Exception as error:
            errors.append(error)

    workers = [threading.Thread(target=work, args=(n,)) for n in range(2)]
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    assert errors == []
    assert len(files) == 100
    assert len(names) == 50
    assert not [name for name in kept.orphans() if name.endswith(".tmp")]


def test_two_shelves_see_each_others_writes(tmp_path: Path) -> None:
    with Shelf.open(tmp_path, create=True) as one, Shelf.open(tmp_path, create=True) as other:
        one.add_study(study("of one"))
        other.add_study(study("of the other"))
        one.write("of one", trials=[new_trial(0)])
        other.write("of the other", trials=[new_trial(0)])
        assert len(one.studies()) == len(other.studies()) == 2
        assert len(one.trials()) == len(other.trials()) == 2
        assert other.trial("of one", 0).number == 0


def test_a_reader_follows_a_file_that_moved_on(
    kept: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.write("a", trials=[new_trial(0)], jobs=[Job(0, 0, 0, 0, 3)])
    kept.write("a", completed=[leg(kept, 0, 0, 1, 3)], jobs=[Job(1, 0, 1, 3, 9)])
    with Shelf.open(kept.path) as reader:
        asked = reader._file
        calls = []

        def slow(name: str, number: int) -> object:
            found = asked(name, number)
            if not calls:
                kept.write("a", completed=[leg(kept, 1, 0, 4, 9)])
            calls.append(1)
            return found

        monkeypatch.setattr(reader, "_file", slow)
        assert reader.read_network(("a", 0))[0]["step"] == 9
