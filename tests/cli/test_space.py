"""A space on the command line: checked and told in words, before anything is trained."""

from __future__ import annotations

from tests.cli.conftest import run

TOML = """
learning_rate = [1e-4, 1e-2]
parametrisation = ["standard", "ntk"]
[when.parametrisation.ntk]
learning_rate = [0.02, 0.3]
"""


def test_a_space_is_checked_and_told_without_training(tmp_path):
    path = tmp_path / "space.toml"
    path.write_text(TOML)
    ran = run("hyperparameters", "--space", path)
    assert ran.status == 0, ran.err
    general, case = ran.out.split("where parametrisation is ntk")
    assert "a number from 0.0001 to 0.01; usually a number from 0.0005 to 0.01" in general
    assert "a number from 0.02 to 0.3; elsewhere a number from 0.0001 to 0.01" in case
    told = run("hyperparameters", "--space", path, "--json").json["hyperparameters"]
    moved = next(each for each in told if each["how"] == "moved")
    assert (moved["name"], moved["where"]) == ("learning_rate", "parametrisation is ntk")
    one = run("hyperparameters", "learning_rate", "--space", path).out
    assert "searched    a number from 0.0001 to 0.01" in one


def test_a_wrong_space_ends_with_one_message(csv, tmp_path):
    path = tmp_path / "space.py"
    path.write_text("space = {'learning_rate': (1e-2, 1e-4)}")
    for command in (("hyperparameters",), ("tune", csv, "--target", "label")):
        ran = run(*command, "--space", path)
        assert ran.status == 2
        assert ran.err.strip() == (
            "Error: In the space, learning_rate must be the lowest value first, not (0.01, 0.0001)."
        )
