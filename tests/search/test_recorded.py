"""Every searcher on a small made-up table, in simulated time: the rules, and who wins."""

from __future__ import annotations

import pickle
import sys
from collections import defaultdict
from functools import partial
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))

from optuna_peer import optuna_players
from recorded import RecordedSpace, RecordedTable, _Plain, epochs_of, modelled_curves
from searchers import Halving, Modelshelf, Random, tpe, uniform
from simulated import WORKERS, Job, regret, simulate

PLAYERS = {
    "modelshelf": Modelshelf,
    "blind": partial(Modelshelf, blind=True),
    "random": Random,
    "ASHA": partial(Halving, sampler=uniform),
    "Hyperband": partial(Halving, sampler=uniform, brackets=True),
    "BOHB-like": partial(Halving, sampler=tpe),
    **optuna_players(),
}
SEEDS = range(6)
BUDGET = 12.0


@pytest.fixture(scope="module")
def table():
    """1,024 configurations: a bowl in two parameters, one that matters less, one that is noise."""
    counts = {"rate": 8, "width": 8, "kind": 4, "idle": 4}
    levels = np.stack(np.unravel_index(np.arange(1024), tuple(counts.values())), axis=1)
    unit = levels / (np.array([*counts.values()]) - 1)
    ends = (unit[:, 0] - 0.7) ** 2 + (unit[:, 1] - 0.4) ** 2 + 0.1 * (levels[:, 2] != 1)
    finals = ends[:, None] + np.random.default_rng(0).normal(0, 0.005, (1024, 3))
    epochs = epochs_of(1, 81)
    curves = modelled_curves(unit, finals, epochs, "made up")
    seconds = 1.0 + 2.0 * unit[:, 1]
    return RecordedTable("made up", counts, (True, True, False, True), epochs, 1, curves, seconds)


class Watched:
    """A player whose jobs are written down."""

    def __init__(self, player):
        self.player, self.jobs = player, []

    def ask(self):
        job = self.player.ask()
        if job is not None:
            self.jobs.append(job)
        return job

    def tell(self, job, value, seconds):
        self.player.tell(job, value, seconds)


@pytest.fixture(params=PLAYERS)
def who(request):
    return request.param


def test_a_trial_goes_on_where_it_stood_and_the_clock_is_kept(who, table):
    watched = Watched(PLAYERS[who](table, 3))
    seconds = 2.0
    simulate(watched, table, 3, seconds)
    reached = defaultdict(int)
    rows = {}
    for job in watched.jobs:
        assert job.from_epoch == reached[job.trial] < job.to_epoch
        assert rows.setdefault(job.trial, job.row) == job.row
        assert job.to_epoch in table.epochs
        reached[job.trial] = job.to_epoch
    spent = sum(table.seconds[rows[trial]] * epoch / 81 for trial, epoch in reached.items())
    assert spent <= WORKERS * (seconds + table.seconds.max())
    if not who.startswith("Optuna"):
        assert len(set(rows.values())) == len(rows)


def test_the_same_seed_gives_the_same_regret_and_another_seed_another(who, table):
    first, again, other = (regret(PLAYERS[who], table, seed, 5.0) for seed in (5, 5, 6))
    assert first.tolist() == again.tolist()
    assert first.tolist() != other.tolist()
    assert ((first >= 0) & (first <= 1)).all()


def mean_regret(who, table):
    return np.mean([regret(PLAYERS[who], table, seed, BUDGET) for seed in SEEDS], axis=0)


def test_modelshelf_is_ahead_of_random_search_and_of_itself_blind(table):
    ours, random = mean_regret("modelshelf", table), mean_regret("random", table)
    assert (ours <= random).all()
    assert ours.mean() < 0.5 * random.mean()
    assert ours.mean() < 0.5 * mean_regret("blind", table).mean()


def test_the_peers_are_no_straw_men(table):
    random = mean_regret("random", table)
    halved = mean_regret("ASHA", table)
    assert halved.mean() < random.mean()
    assert mean_regret("Hyperband", table).mean() < random.mean()
    assert mean_regret("BOHB-like", table)[-1] < halved[-1]


class Oracle(Random):
    """Trains the best configuration first: the measure's zero."""

    def ask(self):
        job = super().ask()
        return Job(job.trial, int(self._table.truth.argmin()), 0, 81) if job.trial == 0 else job


def test_regret_ends_at_zero_where_the_best_is_found_and_begins_at_one(table):
    noiseless = RecordedTable(
        "noiseless", table.parameters, table.ordered, table.epochs, 1,
        np.repeat(table.curves.mean(axis=1, keepdims=True), 3, axis=1), table.seconds,
    )  # fmt: skip
    found = regret(Oracle, noiseless, 0, budget=20.0)
    assert found[-1] == 0.0
    assert regret(Oracle, noiseless, 0, budget=0.1).tolist() == [1.0] * 10


def test_the_space_maps_its_rows_there_and_back(table):
    space = RecordedSpace(table)
    for index in (0, 1, 517, 1023):
        row = space.row(index)
        assert space.configuration(space.vector(row)) == row
    assert space.configuration((1.0,) * 4).index == 1023
    assert len({space.row(index).barcode for index in range(1024)}) == 1024


def test_a_table_with_more_than_plain_data_is_refused(tmp_path):
    (tmp_path / "table.pkl").write_bytes(pickle.dumps({"0": Path}))
    with (tmp_path / "table.pkl").open("rb") as file, pytest.raises(pickle.UnpicklingError):
        _Plain(file).load()


def test_curves_end_where_the_recorded_runs_ended(table):
    finals = np.random.default_rng(1).random((64, 3))
    unit = np.random.default_rng(2).random((64, 2))
    curves = modelled_curves(unit, finals, (1, 3, 9), "x")
    assert np.allclose(curves[:, :, -1], finals, atol=1e-6)
    assert curves[:, :, 0].mean() > finals.mean()
