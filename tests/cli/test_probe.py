"""`modelshelf probe`, `diagnose` and `train --like`, in a process of their own."""

from __future__ import annotations

import re
import shlex
import signal
from types import SimpleNamespace

import pytest
from rich.console import Console

from modelshelf.cli.asked import signals
from modelshelf.cli.diagnose import _command, _tell
from modelshelf.cli.panel import looking
from modelshelf.cli.probe import _values
from modelshelf.cli.words import typed_value
from modelshelf.insight.diagnosis import Diagnosis, Finding
from modelshelf.study.progress import Stopper
from tests.cli.conftest import run

QUICK = ("--set", "hidden_layers=16", "--set", "epochs=10", "--set", "patience=0",
         "--set", "learning_rate=1e-5")  # fmt: skip


@pytest.fixture(scope="module")
def trained(csv, tmp_path_factory):
    where = tmp_path_factory.mktemp("probes") / "shelf"
    ran = run("train", csv, "--target", "label", *QUICK, "--shelf", where, "--json")
    assert ran.status == 0, ran.err
    return ran.json["barcode"], where


@pytest.fixture(scope="module")
def probed(trained, tmp_path_factory):
    barcode, where = trained
    figure = tmp_path_factory.mktemp("figure") / "probe.html"
    ran = run("probe", barcode[:6], "--vary", "learning_rate", "--values", "1e-5,1e-2",
              "--figure", figure, "--shelf", where, "--json")  # fmt: skip
    assert ran.status == 0, ran.err
    return ran, figure


def test_a_probe_tells_what_is_good(probed):
    ran, figure = probed
    told = ran.json
    assert [each["verdict"] for each in told["points"]] == ["too low", "good"]
    assert told["points"][0]["own"]
    assert told["sentences"][0] in ran.err
    assert "▸" in ran.err
    assert len(ran.out.splitlines()) == 1
    assert "Plotly" in figure.read_text(encoding="utf-8")


def test_the_better_value_can_be_trained_as_is_typed(probed, trained):
    where = trained[1]
    typed = shlex.split(re.search(r"Train it so: modelshelf (.+)", probed[0].err)[1])
    ran = run(*typed, "--json")
    assert ran.status == 0, ran.err
    assert ran.json["configuration"]["learning_rate"] == 0.01
    assert ran.json["study"].startswith("beside-")
    assert run("show", ran.json["barcode"][:9], "--shelf", where).status == 0


def test_a_diagnosis_tells_and_its_command_works(trained):
    barcode, where = trained
    ran = run("diagnose", barcode[:6], "--shelf", where, "--json")
    assert ran.status == 0, ran.err
    told = ran.json
    assert [each["name"] for each in told["findings"]] == ["learning rate too low"]
    assert told["findings"][0]["evidence"] in ran.err
    again = run(*shlex.split(told["findings"][0]["command"])[1:], "--json")
    assert again.status == 0, again.err
    assert again.json["barcode"] == told["findings"][0]["barcode"]


def test_a_column_sends_nothing_to_the_terminal(capsys):
    leak = Finding("leak", "suspected", "It tells.", "Ask.", {}, column="\x1b[31mLEAK")
    told = Diagnosis("AAAA", "c", "s", (leak,), (), (), 100, 0.1, 0.1, 0.1, "rows.csv", "y")
    _tell(Console(width=100), told, None)
    out = capsys.readouterr().out
    assert "--column '�[31mLEAK=ignore'" in out
    assert "\x1b" not in out


def test_a_suggested_command_is_quoted_once():
    found = SimpleNamespace(rows="my rows.csv", target="it's", barcode="AAAA-BBBB-CCCC-DDDD")
    leak = Finding("leak", "suspected", "", "", {}, column="a [b] = $c")
    assert shlex.split(_command(found, leak, None))[1:] == [
        "tune", "my rows.csv", "--target", "it's", "--column", "a [b] = $c=ignore",
    ]  # fmt: skip
    assert typed_value((64, 32)) == "64,32"


def test_ctrl_c_is_heard_while_a_network_is_looked_into(capsys):
    stopper, heard = Stopper(), signal.getsignal(signal.SIGINT)
    with looking(Console(force_terminal=False)) as live, signals(stopper, live):
        signal.raise_signal(signal.SIGINT)
    assert stopper.requested
    assert "Finishing tidily" in capsys.readouterr().out
    assert signal.getsignal(signal.SIGINT) is heard


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("probe", "ZZZZ", "--vary", "dropout"), "names no network"),
        (("probe", "{}", "--vary", "dropout", "--time", "soon"), "is not a time"),
        (("probe", "{}", "--vary", "dropout", "--figure", "x.png", "--points", "2", "--seeds", "1"),
         ".html"),
        (("diagnose", "{}", "--retrain", "1"), "2 seeds"),
        (("train", "--like", "{}", "--target", "label"), "does not go with --like"),
        (("train", "--test", "x.csv"), "goes with --like"),
    ],
)  # fmt: skip
def test_bad_input_is_told(words, said, trained):
    barcode, where = trained
    ran = run(*(word.format(barcode[:9]) for word in words), "--shelf", where)
    assert ran.status == 2, ran.out + ran.err
    assert said in ran.err
    assert "Traceback" not in ran.err


def test_lists_of_widths_are_parted_by_semicolons():
    assert _values("hidden_layers", "64;64,32;none") == ["64", "64,32", ()]
    assert _values("dropout", "0.1, 0.2") == ["0.1", "0.2"]
