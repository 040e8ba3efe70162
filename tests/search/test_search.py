from __future__ import annotations

import random

import pytest

from modelshelf.search import Evidence, Proposal, Result, suggest
from modelshelf.search.halving import promotable, rungs_for
from modelshelf.search.portfolio import PORTFOLIO, portfolio
from modelshelf.space.space import Space


def started(count: int, space: Space | None = None) -> tuple[Evidence, list[Proposal]]:
    space, evidence, made = space or Space(), Evidence(), []
    for _ in range(count):
        proposal = suggest(space, evidence, 0, rungs=4, limit=None)
        assert proposal is not None
        assert proposal.configuration is not None
        evidence.start(proposal.configuration.barcode)
        made.append(proposal)
    return evidence, made


def test_known_configurations_come_first_and_nothing_comes_twice():
    _, made = started(600)
    barcodes = [p.configuration.barcode for p in made]
    assert barcodes[: len(PORTFOLIO)] == [c.barcode for c in portfolio(Space())]
    assert len(set(barcodes)) == 600


def test_the_same_evidence_gives_the_same_proposal_and_another_seed_another():
    evidence, _ = started(len(PORTFOLIO))
    first = suggest(Space(), evidence, 7, rungs=4, limit=None)
    assert first == suggest(Space(), evidence, 7, rungs=4, limit=None)
    assert first != suggest(Space(), evidence, 8, rungs=4, limit=None)


def test_the_limit_is_kept_and_a_used_up_space_ends():
    evidence, _ = started(5)
    assert suggest(Space(), evidence, 0, rungs=4, limit=5) is None
    small = Space(**dict.fromkeys(("dropout", "l1", "l2"), 0), hidden_layers=[8],
                  activation="relu", initialisation="he_normal", learning_rate=0.01,
                  batch_size=32, loss="cross_entropy", scaling="standard",
                  optimizer=["adam", "sgd"])  # fmt: skip
    evidence, made = started(2, small)
    assert {p.configuration["optimizer"] for p in made} == {"adam", "sgd"}
    assert suggest(small, evidence, 0, rungs=4, limit=None) is None


def test_only_the_best_third_of_a_rung_goes_on_and_only_once():
    evidence, _ = started(9)
    for trial in range(9):
        evidence.observe(Result(trial, 0, value=float(trial)))
    gone = []
    while (due := promotable(evidence, rungs=4)) is not None:
        evidence.resume(*due)
        gone.append(due)
    assert gone == [(0, 0), (1, 0), (2, 0)]
    for trial, _ in gone:
        evidence.observe(Result(trial, 1, value=float(-trial)))
    assert promotable(evidence, rungs=4) == (2, 1)
    assert promotable(evidence, rungs=2) is None


def test_what_has_ended_is_not_resumed():
    evidence, _ = started(3)
    evidence.observe(Result(0, 0, 0.1, open=False))
    evidence.observe(Result(1, 0, float("inf"), open=False))
    evidence.observe(Result(2, 0, 0.5))
    assert promotable(evidence, rungs=3) is None


def test_evidence_does_not_hang_on_the_order_of_calls():
    results = [Result(t, 0, float(t % 7), open=t % 5 > 0) for t in range(60)]
    proposals = set()
    for seed in range(5):
        evidence, _ = started(60)
        shuffled = random.Random(seed).sample(results, len(results))
        for each in shuffled:
            evidence.observe(each)
        proposals.add(suggest(Space(), evidence, 0, rungs=3, limit=60))
    assert len(proposals) == 1


def test_a_hopeless_trial_is_beyond_the_median_of_a_full_rung():
    evidence, _ = started(30)
    for trial in range(19):
        evidence.observe(Result(trial, 0, float(trial)))
    assert evidence.hopeless_above(0) == float("inf")
    for trial in range(19, 30):
        evidence.observe(Result(trial, 0, float(trial)))
    assert evidence.hopeless_above(0) == 15.0
    assert evidence.hopeless_above(1) == float("inf")


def simulated(searcher, trials: int, seed: int, blind: bool = False) -> tuple[float, int]:
    """Epochs spent, and the true loss of the best trial, on curves that start out noisy."""
    rng = random.Random(seed)
    evidence, space, rungs = Evidence(), Space(), rungs_for(1, 27)
    truth, reached, best, spent = [], {}, float("inf"), 0
    while True:
        proposal = searcher(space, evidence, seed, rungs=len(rungs), limit=trials)
        if proposal is None:
            return best, spent
        if proposal.configuration is not None:
            evidence.start(proposal.configuration.barcode)
            trial, rung = len(truth), 0
            truth.append(rng.random())
        else:
            trial, rung = proposal.trial, proposal.rung + 1
            evidence.resume(trial, proposal.rung)
        spent += rungs[rung] - reached.get(trial, 0)
        reached[trial] = rungs[rung]
        if rung == len(rungs) - 1:
            best = min(best, truth[trial])
        value = truth[trial] + rng.gauss(0, 0.1) / rungs[rung]
        seen = rng.random() if blind else value
        evidence.observe(Result(trial, rung, seen, open=rung < len(rungs) - 1))


def test_halving_finds_better_than_full_training_of_as_many_epochs():
    halved, spent = zip(*(simulated(suggest, 81, seed) for seed in range(20)), strict=True)
    full = [
        min(random.Random(seed).random() for _ in range(round(e / 27)))
        for seed, e in enumerate(spent)
    ]
    assert sum(halved) < 0.5 * sum(full)


def test_a_searcher_that_ignores_the_evidence_loses():
    """The negative control: the same searcher, shown noise in place of what trials reached."""
    ours = sum(simulated(suggest, 81, seed)[0] for seed in range(20))
    theirs = sum(simulated(suggest, 81, seed, blind=True)[0] for seed in range(20))
    assert ours < 0.5 * theirs


@pytest.mark.parametrize(
    ("first", "last", "rungs"), [(1, 100, (1, 3, 9, 27, 100)), (5, 5, (5,)), (7, 3, (3,))]
)
def test_rungs(first, last, rungs):
    assert rungs_for(first, last) == rungs
