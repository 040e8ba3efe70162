"""A study that was interrupted, however often and wherever, is the study that never was."""

from __future__ import annotations

import random
import signal
from pathlib import Path

import pytest

from modelshelf import tune
from modelshelf.shelf import Shelf
from modelshelf.study import Progress
from tests.durability.runner import SPACE, STOPPED, TRIALS, difference, interrupted, rows, run

MOST = 140  # transactions of an undisturbed study, about


def disturbed(rng: random.Random, shelf: Path, csv: Path) -> int:
    """Interrupt a study one to four times, then let it end; returns how many signals it took."""
    taken = 0
    for _ in range(rng.randint(1, 4)):
        workers = rng.choice((1, 2, 8))
        if rng.random() < 0.7:  # killed by a transaction: every state of the log is as likely
            taken += run(shelf, csv, workers, TRIALS, rng.randint(1, MOST)) == -signal.SIGKILL
        else:
            how = rng.choice((signal.SIGKILL, signal.SIGINT))
            taken += interrupted(shelf, csv, workers, rng.uniform(0.2, 1.8), how)
        if (shelf / "shelf.sqlite").exists():
            with Shelf.open(shelf) as opened:
                assert opened.check() == ()
    assert run(shelf, csv, rng.choice((1, 2, 8))) == 0
    return taken


def disturb_many(calm: Path, csv: Path, folder: Path, seed: int, least: int) -> None:
    """Compare every row of every table, but for clocks, until so many signals were taken."""
    rng, taken, turn = random.Random(seed), 0, 0
    while taken < least:
        taken += disturbed(rng, folder / str(turn), csv)
        found = difference(calm, folder / str(turn))
        assert found == [], (turn, found[:5])
        turn += 1


@pytest.mark.parametrize("workers", [1, 8])
def test_any_number_of_workers_makes_the_same_rows(
    calm: Path, rows_file: Path, tmp_path: Path, workers: int
) -> None:
    assert run(tmp_path / "shelf", rows_file, workers) == 0
    assert difference(calm, tmp_path / "shelf") == []


def test_the_comparison_sees_a_difference(calm: Path, rows_file: Path, tmp_path: Path) -> None:
    assert run(tmp_path / "shelf", rows_file, 2, TRIALS - 1) == 0
    assert difference(calm, tmp_path / "shelf") != []
    assert len(rows(calm)["job"]) > TRIALS


@pytest.mark.parametrize("seed", range(5))
def test_interrupted_it_comes_to_the_same_rows(
    calm: Path, rows_file: Path, tmp_path: Path, seed: int
) -> None:
    disturb_many(calm, rows_file, tmp_path, seed, 10)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 120))
def test_interrupted_a_thousand_times_it_comes_to_the_same_rows(
    calm: Path, rows_file: Path, tmp_path: Path, seed: int
) -> None:
    disturb_many(calm, rows_file, tmp_path, seed, 50)


def test_told_to_stop_while_the_winner_is_scored_it_goes_on(
    calm: Path, rows_file: Path, tmp_path: Path
) -> None:
    stopped = set()
    for at in (0.5, 0.8, 1.1, 1.4):
        stopped.add(interrupted(tmp_path / "shelf", rows_file, 2, at, signal.SIGINT))
    assert True in stopped, f"no signal came before the end; status {STOPPED} was expected"
    assert run(tmp_path / "shelf", rows_file, 2) == 0
    assert difference(calm, tmp_path / "shelf") == []


def test_ctrl_c_from_python_stops_the_study_and_is_raised_then(
    rows_file: Path, tmp_path: Path
) -> None:
    usual = signal.signal(signal.SIGINT, signal.default_int_handler)
    pressed: list[int] = []

    def observer(progress: Progress) -> None:
        if not pressed and progress.paused >= 3:
            pressed.append(progress.started)
            signal.raise_signal(signal.SIGINT)

    asked = {"target": "label", "trials": 40, "space": SPACE, "shelf": tmp_path / "shelf"}
    try:
        with pytest.raises(KeyboardInterrupt):
            tune(rows_file, **asked, observer=observer)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, usual)
    assert pressed
    with Shelf.open(tmp_path / "shelf") as shelf:
        assert shelf.check() == ()
        assert shelf.studies()[0].status == "open"
    assert tune(rows_file, **asked).complete
