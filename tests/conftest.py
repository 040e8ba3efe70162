from __future__ import annotations

from pathlib import Path

import pytest

from tests.study.conftest import QUICK, make_table

#: Names as someone who means harm would choose them.
HOSTILE = "<img src=x onerror=alert(1)>"
SCRIPT = "</script><script>alert(2)</script>"


@pytest.fixture(scope="session")
def searched(tmp_path_factory) -> Path:
    """A shelf with one small study of hostile names; its rows lie in a file that stays."""
    from modelshelf import tune  # not needed by most, and slow to import

    folder = tmp_path_factory.mktemp("searched")
    table = make_table().drop("amount").rename({"c": SCRIPT, "label": "label | `x`"})
    table.write_csv(folder / "table.csv")
    # Few settings, one of which decides much: halves of sixty networks agree about that.
    space = {**QUICK, "learning_rate": (1e-4, 1.0), "optimizer": ("adam", "sgd"), "epochs": 15,
             "hidden_layers": (16,), "activation": "relu", "initialisation": "he_normal",
             "l1": 0.0, "l2": 0.0, "weight_decay": 0.01, "scaling": "standard"}  # fmt: skip
    tune(folder / "table.csv", target="label | `x`", trials=60, space=space, folds=2,
         shelf=folder / "shelf", study=HOSTILE)  # fmt: skip
    return folder / "shelf"
