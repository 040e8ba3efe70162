"""Planted illnesses: does the diagnosis name them, and leave the healthy in peace?

The thresholds were set on other data sets (phoneme, cpu_act, spambase, abalone, credit-g), with
other seeds.
"""

from __future__ import annotations

import itertools
from collections import Counter

import pytest

from modelshelf import diagnose
from tests.understanding.planted import ILLNESSES, planted

SETS = ("digits", "breast_cancer", "wine", "diabetes")
#: Diabetes has no classes. Learned by heart, it is answered little worse for it; and held back as
#: hard as the others are, as well as by any network.
CANNOT = {("diabetes", each) for each in ("label noise", "overfitting", "underfitting")}
EACH = 12  # networks at least
FIRST = 30  # the first seed: rules were set after a look at 0 to 3, what is planted after 10 to 13


def names(name, illness, seed, folder):
    copy = planted(name, illness, seed, folder)
    found = diagnose(copy, shelf=folder / "shelf", workers=2, time_limit=None)
    return [each.name for each in found.findings]


@pytest.mark.parametrize("illness", ILLNESSES)
def test_an_ill_network_is_told_what_ails_it(illness, tmp_path):
    found = names("breast_cancer", illness, 7, tmp_path)
    assert found == ([] if illness == "healthy" else [illness])


@pytest.mark.slow
def test_precision_and_recall_on_planted_illnesses(tmp_path):
    """Each illness in ten networks or more: both shares are at least 90 %, for each of them."""
    right, claimed, planted_ones, missed = Counter(), Counter(), Counter(), []
    for illness in ILLNESSES:
        sets = [name for name in SETS if (name, illness) not in CANNOT]
        for name, seed in itertools.product(sets, range(FIRST, FIRST + max(4, EACH // len(sets)))):
            folder = tmp_path / f"{illness}-{name}-{seed}"
            folder.mkdir()
            found = names(name, illness, seed, folder) or ["healthy"]
            planted_ones[illness] += 1
            claimed.update(found)
            right[illness] += illness in found
            if found != [illness]:
                missed.append(f"{name} {seed}: {illness} was called {', '.join(found)}")
    print()
    for illness, count in planted_ones.items():
        precision = right[illness] / max(claimed[illness], 1)
        recall = right[illness] / count
        print(f"| {illness} | {count} | {precision:.2f} | {recall:.2f} |")
    print(*missed, sep="\n")
    for illness, count in planted_ones.items():
        assert count >= EACH
        assert right[illness] >= 0.9 * count, illness
        assert right[illness] >= 0.9 * claimed[illness], illness
