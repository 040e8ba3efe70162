"""The engine is broken on purpose, in one line at a time, and the suite must catch each break.

A copy of the package is broken, and a part of the suite runs on it with the compiler off. The same
part passes on an unbroken copy, so that it is the break that is caught.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ENGINE = Path("modelshelf/engines/numpy_")
ORACLE, MEMBERS, EVERY = "test_oracle.py", "test_members.py", "test_conformance.py"

#: name: (file, what stands there, what is put there, test file, tests that must catch it)
BREAKS = {
    "no slope on the way back": (
        "network.py", "flat[i] *= slope[i]", "pass", ORACLE, "case0-",
    ),
    "bias gradient of one row": (
        "network.py", "bias[k] += delta[i, k]", "bias[k] = delta[i, k]", ORACLE, "case0-",
    ),
    "sign of the loss": (
        "losses.py", "(gradient[i, k] - target[i, k]) * share",
        "(gradient[i, k] + target[i, k]) * share", ORACLE, "case0-",
    ),
    "short batch weighs like a whole one": (
        "losses.py", "share = output.dtype.type(1.0 / rows)\n    total = softmax",
        "share = output.dtype.type(1.0 / 16)\n    total = softmax", ORACLE, "case0-",
    ),
    "last short batch is left out": (
        "step.py", "for start in range(0, n, batch):", "for start in range(0, n - batch, batch):",
        ORACLE, "case0-",
    ),
    "shuffle without the member's key": (
        "step.py", "shuffle(vector(orders, member * n, n), key_of(key, member), epoch)",
        "shuffle(vector(orders, member * n, n), np.uint64(1), epoch)",
        ORACLE, "case0-",
    ),
    "the same order in each epoch": (
        "step.py", "key_of(key, member), epoch)", "key_of(key, member), 1)", ORACLE, "case0-",
    ),
    "adam without correction of the mean": (
        "optimizers.py", "constants[0] / (1.0 - constants[1] ** step)", "constants[0]",
        ORACLE, "adam",
    ),
    "adam without correction of the square": (
        "optimizers.py", "1.0 / np.sqrt(1.0 - constants[2] ** step)", "1.0", ORACLE, "adam",
    ),
    "momentum of the step before": (
        "optimizers.py",
        "velocity[i] = mu * velocity[i] + gradient[i]\n        theta[i] -= rate * velocity[i]",
        "theta[i] -= rate * velocity[i]\n        velocity[i] = mu * velocity[i] + gradient[i]",
        ORACLE, "momentum",
    ),
    "nesterov that does not look ahead": (
        "optimizers.py", "rate * (gradient[i] + mu * velocity[i])", "rate * velocity[i]",
        ORACLE, "nesterov",
    ),
    "adagrad that forgets": (
        "optimizers.py", "square[i] += gradient[i] * gradient[i]",
        "square[i] = gradient[i] * gradient[i]", ORACLE, "adagrad",
    ),
    "rmsprop with epsilon under the root": (
        "optimizers.py", "theta[i] -= rate * gradient[i] / (np.sqrt(square[i]) + epsilon)\n\n\n"
        "def adam", "theta[i] -= rate * gradient[i] / np.sqrt(square[i] + epsilon)\n\n\ndef adam",
        ORACLE, "rmsprop",
    ),
    "decay of biases": (
        "assemble.py", "decays and name not in _NOT_DECAYED", "decays", ORACLE, "adamw",
    ),
    "penalty on biases": (
        "step.py", "penalise(rates[L1], rates[L2], weights,",
        "penalise(rates[L1], rates[L2], theta.size,", ORACLE, "l2",
    ),
    "half of the l2 penalty's gradient": (
        "penalties.py", "type(2.0 * second)", "type(second)", ORACLE, "l2",
    ),
    "l1 that pushes outwards": (
        "penalties.py", "l1 if w > zero else (-l1", "-l1 if w > zero else (l1", ORACLE, "l1",
    ),
    "dropout that is not scaled": (
        "random.py", "1.0 / (1.0 - rate)", "1.0", MEMBERS, "dropout",
    ),
    "dropout that drops everything": (
        "random.py", "high = scale if np.uint32(h >> _S16) >= threshold else zero", "high = zero",
        MEMBERS, "dropout",
    ),
    "dropout of outputs and not of slopes": (
        "random.py", "slope[half + i] *= high", "pass", ORACLE, "dropout",
    ),
    "dropout while it validates": (
        "predict.py", "np.uint64(0), integer(0),", "np.uint64(0), integer(1),", ORACLE,
        "validation_loss",
    ),
    "a schedule that is a step late": (
        "schedules.py", "done = step - 1", "done = max(step - 2, 0)", ORACLE, "cosine",
    ),
    "a clip that also lengthens": (
        "penalties.py", "if factor < 1.0:", "if factor > 0.0:", ORACLE, "clip_norm",
    ),
    "label smoothing among the others": (
        "losses.py", "smoothing / classes", "smoothing / (classes - 1)", ORACLE, "label_smoothing",
    ),
    "the best weights are not kept": (
        "step.py", "copy(kept, 0, best, 0, best.size)", "pass", EVERY, "numpy and answers",
    ),
    "patience by a hair": (
        "step.py", ">= plan[PATIENCE]", "> plan[PATIENCE]", EVERY, "numpy and keeps_the_best",
    ),
    "divergence goes unseen": (
        "step.py", "if not np.isfinite(value):", "if False:", EVERY, "numpy and unvalidated",
    ),
    "weights that overflow at the end of an epoch": (
        "penalties.py", "return bool(np.isfinite(total))", "return True", MEMBERS, "overflow",
    ),
    "scales that are not learned": (
        "network.py", "gradient[form[SCALE] + j] = total", "gradient[form[SCALE] + j] = 0.0",
        ORACLE, "input_scale",
    ),
    "shares of activation without dropout's mask": (
        "network.py", "drop(mixed, spare,", "drop(vector(spare, 0, rows * m), spare,",
        ORACLE, "parametric_activation",
    ),
    "widths divided out on the way there and not back": (
        "network.py", "delta[i, k] *= narrow", "pass", ORACLE, "ntk",
    ),
    "phases that are not learned": (
        "encoding.py", "gradient[features + j] += down", "pass", ORACLE, "periodic",
    ),
    "a table's row for all categories": (
        "encoding.py", "gradient[place + k] += delta[i, at + k]",
        "gradient[t + k] += delta[i, at + k]", ORACLE, "category_embedding",
    ),
    "all groups at the rate of the first": (
        "optimizers.py", "constants[0] = rate * groups[g, 2]", "constants[0] = rate",
        ORACLE, "bias_lr_factor",
    ),
    "a cosine's derivative with the wrong sign": (
        "encoding.py", "down = -back[j]", "down = back[j]", ORACLE, "periodic",
    ),
    "class weights over the batch's rows": (
        "losses.py", "mean = targets.dtype.type(total * width / targets.size)",
        "mean = targets.dtype.type(1.0)", ORACLE, "class_weight",
    ),
    "an average that begins at 0": (
        "optimizers.py", "1.0 - decay if step > 1 else 1.0", "1.0 - decay", ORACLE, "averaging",
    ),
    "a layer's norm without the mean's share on the way back": (
        "normalise.py", "share * (total + normed[i, k] * along)", "share * normed[i, k] * along",
        ORACLE, "(normalisation and layer)",
    ),
    "a batch's norm over the units' number": (
        "normalise.py", "share, epsilon = sums.dtype.type(1.0 / rows)",
        "share, epsilon = sums.dtype.type(1.0 / units)", ORACLE, "(normalisation and batch)",
    ),
    "running variances that are biased": (
        "normalise.py", "1.0 / max(rows - 1, 1)", "1.0 / rows", ORACLE, "(normalisation and batch)",
    ),
    "residual connections that pass no gradient": (
        "network.py", "flat[i] += past[i]", "pass", ORACLE, "residual",
    ),
    "whole steps of the bin itself": (
        "piecewise.py", "gradient[(b + 1) * size + k] += whole[b * size + k]",
        "gradient[(b + 2) * size + k] += whole[b * size + k]", ORACLE, "piecewise",
    ),
    "members that share their batches": (
        "step.py", "shuffle(vector(orders, member * n, n), key_of(key, member), epoch)",
        "shuffle(vector(orders, member * n, n), key, epoch)", ORACLE, "ensemble_size",
    ),
    "an adapter of sums that is not learned": (
        "ensemble.py", "back[k] += own[w + j * m + k] * scale * theta[w + j * m + k]", "pass",
        ORACLE, "ensemble_size",
    ),
    "a member's loss that counts as the whole's": (
        "step.py", "count = 1.0 / members", "count = 1.0", ORACLE, "ensemble_size",
    ),
    "a variance whose gradient is not halved": (
        "losses.py", "share * half * (one - square)", "share * (one - square)", ORACLE, "gaussian",
    ),
    "quantiles that change places": (
        "losses.py", "0.5 + 0.5 * parameter * (k - 1)", "0.5 - 0.5 * parameter * (k - 1)",
        ORACLE, "quantile",
    ),
    "the state is left behind in a pause": (
        "engine.py", '(member.slots, "state.slots"),', "", EVERY, "numpy and freezing",
    ),
}  # fmt: skip


def run(where: Path, file: str, selected: str) -> subprocess.CompletedProcess[str]:
    """Part of the engine's tests, on the package in a folder."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist",
         str(ROOT / "tests" / "engine" / file), "-k", selected],
        env={**os.environ, "PYTHONPATH": str(where), "NUMBA_DISABLE_JIT": "1"},
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture
def copy(tmp_path):
    shutil.copytree(ROOT / "src" / "modelshelf", tmp_path / "modelshelf")
    return tmp_path


@pytest.mark.parametrize("name", BREAKS)
def test_a_broken_engine_is_caught(name, copy):
    file, there, instead, tests, selected = BREAKS[name]
    path = copy / ENGINE / file
    source = path.read_text(encoding="utf-8")
    assert source.count(there) == 1, "the break no longer fits the source"
    path.write_text(source.replace(there, instead), encoding="utf-8")
    ran = run(copy, tests, selected)
    assert ran.returncode == 1, f"not caught: {ran.stdout}{ran.stderr}"
    assert "failed" in ran.stdout


@pytest.mark.parametrize("tests", [ORACLE, MEMBERS, EVERY])
def test_an_unbroken_copy_passes(tests, copy):
    selected = " or ".join(sorted({s for *_, t, s in BREAKS.values() if t == tests}))
    ran = run(copy, tests, selected)
    assert ran.returncode == 0, ran.stdout + ran.stderr
