"""What a search varies where nothing is said: the usual ranges, and how they hang together.

Two families meet here. In the standard form, weights begin small and rates are small; in the NTK
form (RealMLP's) widths are divided out, weights begin at 1, and rates are twenty times as large.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

__all__ = [
    "CASES",
    "FOR_POPULATIONS",
    "entries_for",
    "entries_for_images",
    "entries_for_text",
    "usual_epochs",
    "usual_rows",
]

_DENSE: dict[str, object] = {
    "hidden_layers": {"depth": (1, 4), "width": (32, 256)},
    "activation": ("relu", "silu", "mish", "selu", "tanh"),
    "parametrisation": ("standard", "ntk"),
    "initialisation": ("he_normal", "xavier_normal", "orthogonal", "pytorch"),
    "ensemble_size": {"range": (2, 8), "off": 0.8},
    "optimizer": ("adamw", "adam", "rmsprop", "momentum", "sgd"),
    "learning_rate": (5e-4, 1e-2),
    "loss": "cross_entropy",
    "batch_size": (32, 64, 128, 256, 512),
    "schedule": "coslog",
    "patience": 0,
    "dropout": {"range": (0.02, 0.5), "off": 0.2},
    "weight_decay": {"range": (1e-3, 1e-1), "off": 0.1},
    "l1": {"range": (1e-7, 1e-4), "off": 0.8},
    "l2": {"range": (1e-7, 1e-3), "off": 0.7},
    "scaling": ("standard", "robust", "quantile"),
    "numeric_encoding": ("none", "periodic", "piecewise"),
    "encoding_bins": (8, 128),
    "encoding_size": (4, 16),
    "periodic_sigma": (0.03, 3.0),
    "category_embedding": (0, 8, 16),
}

#: What every kind of network shares with the dense ones.
_SHARED = ("optimizer", "learning_rate", "loss", "batch_size", "schedule", "patience",
           "weight_decay")  # fmt: skip

#: What a kind adds, or has otherwise.
_KINDS: dict[str, dict[str, object]] = {
    "module": {"learning_rate": (1e-4, 2e-2)},
    "text": {
        "text_network": ("mean", "conv", "recurrent"),
        "embedding_size": (32, 128),
        "text_width": (32, 128),
        "dropout": {"range": (0.1, 0.6), "off": 0.1},
    },
    "conv": {
        "conv_stages": (2, 3),
        "conv_blocks": (1, 2),
        "conv_width": (12, 48),
        "conv_kernel": (3, 5),
        "conv_shortcut": ("no", "yes"),
        "conv_pooling": ("max", "stride"),
        "conv_head": ("flatten", "max"),
        "image_augmentation": ("none", "shift", "flip", "flip_shift"),
        "activation": ("relu", "silu"),
        "dropout": {"range": (0.02, 0.5), "off": 0.2},
    },
}


def entries_for(kinds: Sequence[object]) -> dict[str, object]:
    """What a space of these kinds of network searches where nothing is said of it."""
    found = _DENSE if "dense" in kinds else {name: _DENSE[name] for name in _SHARED}
    for kind in kinds:
        found = found | _KINDS.get(str(kind), {})
    return found


#: What a table with text adds, or has otherwise: inputs are many, and most of them are 0.
_TEXT: dict[str, object] = {
    "text": ("bag", "embedding"),
    "tokeniser": ("words", "words+characters"),
    "text_counts": ("presence", "log"),
    "idf": ("no", "yes"),
    "hidden_layers": {"depth": (1, 2), "width": (32, 192)},
    "ensemble_size": 1,
    "parametrisation": "standard",
    "optimizer": ("adamw", "adam"),
    "batch_size": (32, 64, 128),
    "dropout": {"range": (0.1, 0.6), "off": 0.1},
    "l1": 0.0,
}

#: Where there are no numbers to scale or encode, and no categories: text alone, or pixels.
_NO_COLUMNS: dict[str, object] = {
    "scaling": "standard",
    "numeric_encoding": "none",
    "encoding_bins": 48,
    "encoding_size": 4,
    "periodic_sigma": 0.1,
    "category_embedding": 0,
}

_TEXT_WIDTHS = (500, 1_000, 2_000, 4_000, 8_000)
_TEXT_NUMBERS = 100_000_000  # the most that the rows of a table become: 400 MB
_TEXT_EPOCHS = 5  # times fewer passes than over a table: rare words are soon learned by heart


def entries_for_text(rows: int, alone: bool) -> dict[str, object]:
    """What a space searches besides, where a table of so many rows has text, or nothing else.

    Many rows have fewer features each, so that they fit into memory.

    >>> entries_for_text(5_000, True)["vocabulary_size"]
    (2000, 4000, 8000)
    >>> entries_for_text(1_000_000, True)["vocabulary_size"]
    500
    """
    widths = [each for each in _TEXT_WIDTHS if each * rows <= _TEXT_NUMBERS] or _TEXT_WIDTHS[:1]
    return {
        **_TEXT,
        **(_NO_COLUMNS if alone else {}),
        "vocabulary_size": tuple(widths[-3:]) if len(widths) > 2 else widths[-1],
        "epochs": usual_epochs(_TEXT_EPOCHS * rows, None),
    }


#: What a space of images has otherwise for dense networks: pixels are many, and all alike.
_IMAGES: dict[str, object] = {
    "hidden_layers": {"depth": (1, 3), "width": (64, 256)},
    "parametrisation": "standard",
    "ensemble_size": 1,
    "optimizer": ("adamw", "adam"),
    "batch_size": (64, 128, 256),
    "l1": 0.0,
    "l2": 0.0,
    **_NO_COLUMNS,
}

_LEAST_SIDE = 8  # pixels, below which neighbours say nothing that a dense network cannot see


def entries_for_images(
    shape: Sequence[int], torch: bool, network: object = None
) -> dict[str, object]:
    """What a space searches besides, where rows are images (channels, height, width).

    Convolutions too, where PyTorch is there to train them, and no kind of `network` was given.

    >>> entries_for_images((1, 28, 28), torch=True)["network"]
    ('dense', 'conv')
    >>> entries_for_images((1, 28, 28), torch=False)["network"]
    'dense'
    """
    convolves = torch and min(shape[1:]) >= _LEAST_SIDE
    kinds: Any = network or (("dense", "conv") if convolves else "dense")
    return {**(_IMAGES if "dense" in kinds else {}), "network": kinds}


#: One structure, for networks that are to be trained together: `device = cuda` without a space.
FOR_POPULATIONS: dict[str, object] = {
    "hidden_layers": (256, 256, 256),
    "activation": "mish",
    "parametrisation": "standard",
    "ensemble_size": 1,
    "optimizer": "adamw",
    "batch_size": 256,
    "scaling": "robust",
    "numeric_encoding": "none",
    "encoding_bins": 48,  # plays no part, and so is not to be searched
    "encoding_size": 4,
    "category_embedding": 0,
}

CASES: dict[str, dict[str, dict[str, object]]] = {
    "optimizer": {
        "momentum": {"learning_rate": (3e-3, 0.3)},
        "sgd": {"learning_rate": (1e-2, 1.0)},
    },
    "parametrisation": {
        "ntk": {
            "initialisation": "data",
            "parametric_activation": ("no", "yes"),
            "input_scale": "yes",
            "scale_lr_factor": 6.0,
            "activation_lr_factor": 0.1,
            "bias_lr_factor": 0.1,
            "encoding_lr_factor": (0.1, 1.0),
            "optimizer": "adamw",
            "beta2": (0.9, 0.999),
            "learning_rate": (5e-3, 0.3),
            "regularisation_schedule": ("constant", "flat_cosine"),
        }
    },
}

#: Passes over all rows that suit schedules in four cycles, whose ends are whole epochs then.
_EPOCHS = (15, 30, 60, 120, 240)

_ROWS_SEEN = 400_000  # rows that a network is shown in all, where a study takes a minute


_IMAGE_EPOCHS = 4  # times fewer passes over images: each costs more, and tells more


def usual_epochs(rows: int, seconds: float | None, images: bool = False) -> int:
    """For how many epochs to train on so many rows, in a study of so many seconds.

    Few rows make short epochs, and so get more of them; so do studies with more time. None is a
    study whose trials are counted.

    >>> usual_epochs(20_000, 60.0), usual_epochs(20_000, 600.0), usual_epochs(500, None)
    (15, 60, 240)
    """
    minutes = 1.0 if seconds is None else seconds / 60.0
    wanted = _ROWS_SEEN * minutes**0.6 / max(rows * (_IMAGE_EPOCHS if images else 1), 1)
    return min(_EPOCHS, key=lambda each: abs(math.log(each / max(wanted, 1e-9))))


_ROWS_A_SECOND = 2_500  # of the study's time: so a few networks see all rows through all epochs
_FEW_COLUMNS = 100  # up to here, the work on a row hangs on the layers rather than on the columns
_LEAST_ROWS = 50_000


def usual_rows(columns: int, seconds: float | None) -> int | None:
    """From how many rows to learn at most, in a study of so many seconds; None: from all.

    More rows than networks can be shown are of no use to a study: it would end with none trained.

    >>> usual_rows(14, 60.0), usual_rows(900, 60.0), usual_rows(14, None)
    (150000, 50000, None)
    """
    if seconds is None:
        return None
    wanted = seconds * _ROWS_A_SECOND / max(columns / _FEW_COLUMNS, 1.0)
    return max(int(wanted), _LEAST_ROWS)
