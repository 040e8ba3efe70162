from __future__ import annotations

import random

import numpy as np
import pytest

from modelshelf.search import Evidence, Proposal, Result, suggest
from modelshelf.search.halving import promotable, rungs_for
from modelshelf.search.model import lifted
from modelshelf.space.portfolio import PORTFOLIO
from modelshelf.space.space import Space


def started(count: int, space: Space | None = None) -> tuple[Evidence, list[Proposal]]:
    space, evidence, made = space or Space(), Evidence(), []
    for trial in range(count):
        proposal = suggest(space, evidence, 0, rungs=4, limit=None)
        assert proposal is not None
        assert proposal.configuration is not None
        evidence.start(trial, proposal.configuration)
        made.append(proposal)
    return evidence, made


def test_known_configurations_come_first_and_nothing_comes_twice():
    _, made = started(600)
    barcodes = [p.configuration.barcode for p in made]
    known = Space().known
    assert len(known) == len(PORTFOLIO)  # each lies in the usual space
    assert barcodes[: len(known)] == [c.barcode for c in known]
    assert len(set(barcodes)) == 600


def test_the_same_evidence_gives_the_same_proposal_and_another_seed_another():
    evidence, _ = started(len(PORTFOLIO))
    first = suggest(Space(), evidence, 7, rungs=4, limit=None)
    assert first == suggest(Space(), evidence, 7, rungs=4, limit=None)
    assert first != suggest(Space(), evidence, 8, rungs=4, limit=None)


def test_the_limit_is_kept_and_a_used_up_space_ends():
    evidence, _ = started(5)
    assert suggest(Space(), evidence, 0, rungs=4, limit=5) is None
    small = Space(**dict.fromkeys(("dropout", "l1", "l2", "category_embedding"), 0),
                  hidden_layers=[8], activation="relu", initialisation="he_normal",
                  learning_rate=0.01, batch_size=32, loss="cross_entropy", scaling="standard",
                  parametrisation="standard", ensemble_size=1, numeric_encoding="none",
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


def test_promotions_do_not_hang_on_the_order_of_results():
    results = [Result(t, 0, float(t % 7), open=t % 5 > 0) for t in range(60)]
    proposals = set()
    for seed in range(5):
        evidence, _ = started(60)
        shuffled = random.Random(seed).sample(results, len(results))
        for each in shuffled:
            evidence.observe(each)
        proposals.add(suggest(Space(), evidence, 0, rungs=3, limit=60))
    assert len(proposals) == 1


def test_a_model_proposes_the_same_when_evidence_is_loaded_again():
    space = Space()

    def grown(observed_late: bool) -> list[str]:
        evidence, made, rng = Evidence(), [], random.Random(1)
        values = [rng.random() for _ in range(60)]
        for trial in range(60):
            proposal = suggest(space, evidence, 3, rungs=1)
            evidence.start(trial, proposal.configuration)
            made.append(proposal.configuration.barcode)
            evidence.observe(Result(trial, 0, values[trial], open=False))
            if observed_late and trial == 41:  # as after a kill: all starts, then all results
                again = Evidence()
                for number, configuration in evidence.configurations.items():
                    again.start(number, configuration)
                for each in evidence.results:
                    again.observe(each)
                evidence = again
        return made

    assert grown(observed_late=True) == grown(observed_late=False)


def test_values_are_brought_to_the_highest_rung_by_what_was_gained_there():
    low = [Result(t, 0, float(t)) for t in range(8)]
    high = [Result(t, 1, 0.5 * t - 2.0) for t in range(4)]
    found = lifted([*low, *high])
    assert [found[t] for t in range(4)] == [-2.0, -1.5, -1.0, -0.5]
    assert found[6] == pytest.approx(1.0)  # 0.5 · 6 - 2
    assert lifted([Result(0, 0, float("inf"))])[0] == float("inf")


@pytest.mark.parametrize("blind", [False, True])
def test_the_model_finds_what_matters_and_a_blind_one_does_not(blind):
    """The better half of proposals after learning, where one setting decides."""
    space, evidence = Space(hidden_layers=[[32, 32]]), Evidence()
    noise, late = random.Random(0), []
    for trial in range(160):
        c = suggest(space, evidence, 0, rungs=1).configuration
        evidence.start(trial, c)
        value = abs(c.number("dropout") - 0.4) + 0.3 * (c["scaling"] != "quantile")
        seen = noise.random() if blind else value
        evidence.observe(Result(trial, 0, seen, open=False))
        if trial >= 80:
            late.append(value)
    mean = sum(late) / len(late)
    assert (mean > 0.35) if blind else (mean < 0.25)


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
            trial, rung = len(truth), 0
            evidence.start(trial, proposal.configuration)
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
    halved, spent = zip(*(simulated(suggest, 81, seed) for seed in range(8)), strict=True)
    full = [
        min(random.Random(seed).random() for _ in range(round(e / 27)))
        for seed, e in enumerate(spent)
    ]
    assert sum(halved) < 0.5 * sum(full)


def test_a_searcher_that_ignores_the_evidence_loses():
    """The negative control: the same searcher, shown noise in place of what trials reached."""
    ours = sum(simulated(suggest, 81, seed)[0] for seed in range(8))
    theirs = sum(simulated(suggest, 81, seed, blind=True)[0] for seed in range(8))
    assert ours < 0.5 * theirs


@pytest.mark.parametrize(
    ("first", "last", "rungs"), [(1, 100, (1, 3, 9, 27, 100)), (5, 5, (5,)), (7, 3, (3,))]
)
def test_rungs(first, last, rungs):
    assert rungs_for(first, last) == rungs


def test_proposals_that_ask_no_model_go_everywhere():
    """Every fourth point of one Sobol sequence lies in one half of its first dimensions."""
    space, evidence = Space(), Evidence()
    known, blind = len(space.known), []
    for trial in range(known + 260):
        configuration = suggest(space, evidence, 0, rungs=1).configuration
        evidence.start(trial, configuration)
        evidence.observe(Result(trial, 0, float(trial), open=False))  # later ones are ever worse
        if trial >= known + 20 and (trial - known) % 4 == 0:
            blind.append(space.vector(configuration)[:2])
    for quarters in (4 * np.array(blind)).astype(int).T:
        assert np.bincount(quarters, minlength=4).min() >= len(blind) // 8
