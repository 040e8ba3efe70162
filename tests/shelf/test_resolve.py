from __future__ import annotations

from itertools import pairwise

import pytest

from modelshelf.core.errors import BarcodeError
from modelshelf.shelf import Job, Shelf
from tests.shelf.helpers import configuration, fill, leg, new_trial, study


@pytest.fixture
def many(shelf: Shelf) -> Shelf:
    """Hundred configurations in study `a`; the first one twice more in `b`."""
    shelf.add_study(study("a"))
    shelf.add_study(study("b"))
    shelf.write("a", trials=[new_trial(n) for n in range(100)])
    again = [new_trial(n, of=0, copy=f"ZZZZ-ZZZZ-ZZZZ-ZZZ{n}") for n in range(2)]
    shelf.write("b", trials=again, jobs=[Job(n, n, 0, 0, 1) for n in range(2)])
    done = [leg(shelf, n, n, 1, 1, name="b", score=n / 10) for n in range(2)]
    shelf.write("b", completed=done)
    return shelf


def test_a_barcode_names_all_its_trials_best_first(many: Shelf) -> None:
    barcode = configuration(0).barcode
    for typed in (barcode, barcode.lower(), barcode.replace("-", ""), f" {barcode[:12]} "):
        found = many.resolve(typed)
        assert [(t.study, t.number) for t in found] == [("b", 1), ("b", 0), ("a", 0)]


def test_a_copy_names_itself(many: Shelf) -> None:
    assert [t.number for t in many.resolve("zzzz-zzzz-zzzz-zzz1")] == [1]
    # Two copies of one configuration: all that begin so.
    assert [t.number for t in many.resolve("zzzz")] == [1, 0]


def test_what_names_several_is_refused(many: Shelf) -> None:
    barcodes = sorted(configuration(n).barcode for n in range(100))
    shared = next((a[:1] for a, b in pairwise(barcodes) if a[0] == b[0]), "")
    with pytest.raises(BarcodeError, match=rf"'{shared}' names several networks: .*study 'a'"):
        many.resolve(shared)


def test_at_most_five_are_listed(shelf: Shelf) -> None:
    shelf.add_study(study("a"))
    new = [new_trial(n, copy=f"ABCD-0000-0000-000{n}") for n in range(7)]
    shelf.write("a", trials=new)
    with pytest.raises(BarcodeError) as caught:
        shelf.resolve("abcd")
    assert str(caught.value).count("study 'a'") == 5
    assert ", …. Say more letters" in str(caught.value)


def test_what_names_nothing_is_refused_with_the_nearest(many: Shelf) -> None:
    barcode = configuration(42).barcode
    wrong = barcode[:5] + ("0" if barcode[5] != "0" else "1") + barcode[6:]
    with pytest.raises(BarcodeError, match=f"did you mean {barcode}"):
        many.resolve(wrong)
    with pytest.raises(BarcodeError, match=f"did you mean {barcode}"):
        many.resolve(wrong[:12])
    with pytest.raises(BarcodeError, match="modelshelf shelf"):
        many.resolve("0000-0000-0000-0001")


def test_on_an_empty_shelf_nothing_is_named(shelf: Shelf) -> None:
    with pytest.raises(BarcodeError, match=r"shelf at .* is empty\. .*tune --example"):
        shelf.resolve("7QK4")


@pytest.mark.parametrize("typed", ["", "%", "7QK4%", "'; --", "u", "0" * 17, "~", "\0"])
def test_what_is_no_barcode_is_refused(shelf: Shelf, typed: str) -> None:
    fill(shelf, 1)
    with pytest.raises(BarcodeError, match="is not a barcode"):
        shelf.resolve(typed)


def test_resolving_reads_no_whole_table(many: Shelf) -> None:
    plan = many._database.connection.exec_driver_sql(
        "explain query plan select distinct barcode from trial "
        "where (barcode >= 'A' and barcode < 'A~') or (copy >= 'A' and copy < 'A~') limit 2"
    ).all()
    assert not [row for row in plan if row[3].startswith("SCAN trial")]
