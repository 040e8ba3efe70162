"""Published settings under one name: a whole configuration, to start from or to compare with."""

from __future__ import annotations

from modelshelf.core.errors import SettingError, nearest

__all__ = ["RECIPES", "recipe"]

# Holzmüller, Grinsztajn, Steinwart 2024, arXiv 2407.04491: RealMLP-TD, as pytabkit 1.7.3 has it.
# Its decay moves with each group's rate, which is AdamW's here; its best epoch is that of the
# validation error. What differs is told in docs/decisions/0008-recipes.md.
_REALMLP: dict[str, object] = {
    "hidden_layers": (256, 256, 256),
    "parametric_activation": "yes",
    "activation_lr_factor": 0.1,
    "initialisation": "data",
    "parametrisation": "ntk",
    "input_scale": "yes",
    "scale_lr_factor": 6.0,
    "bias_lr_factor": 0.1,
    "optimizer": "adamw",
    "beta2": 0.95,
    "weight_decay": 0.02,
    "decay_by_factor": "yes",
    "dropout": 0.15,
    "regularisation_schedule": "flat_cosine",
    "schedule": "coslog",
    "batch_size": 256,
    "epochs": 256,
    "patience": 0,
    "scaling": "robust",
    "numeric_encoding": "periodic",
    "encoding_lr_factor": 0.1,
    "category_embedding": 8,
    "max_one_hot": 9,
}

# Gorishniy et al. 2024, arXiv 2410.24210: TabM without embeddings, as pytabkit 1.7.3 has it by
# default: no decay, and patience that counts the error of classes.
_TABM: dict[str, object] = {
    "hidden_layers": (512, 512, 512),
    "ensemble_size": 32,
    "activation": "relu",
    "initialisation": "pytorch",
    "dropout": 0.1,
    "optimizer": "adam",
    "learning_rate": 2e-3,
    "batch_size": 256,
    "epochs": 1000,
    "patience": 17,
    "scaling": "quantile",
}

# Keras 3's defaults of Dense and its optimizers, where they differ from PyTorch's. Its Adam adds
# epsilon before the mean square is corrected, its RMSprop under the root: hardly a difference, but
# for gradients near epsilon.
_KERAS: dict[str, object] = {
    "initialisation": "xavier_uniform",
    "learning_rate": 1e-3,
    "epsilon": 1e-7,
    "rho": 0.9,
    "batch_size": 32,
}

#: By name, and whether the target holds classes.
RECIPES: dict[tuple[str, bool], dict[str, object]] = {
    ("realmlp", True): {
        **_REALMLP,
        "activation": "selu",
        "learning_rate": 0.04,
        "label_smoothing": 0.1,
        "monitor": "accuracy",
    },
    ("realmlp", False): {
        **_REALMLP,
        "activation": "mish",
        "learning_rate": 0.2,
        "loss": "quadratic",
        "clamp_output": "yes",
    },
    ("keras", True): _KERAS,
    ("keras", False): {**_KERAS, "loss": "quadratic"},
    ("tabm", True): {**_TABM, "monitor": "accuracy"},
    ("tabm", False): {**_TABM, "loss": "quadratic"},
}


def recipe(name: str, classes: bool) -> dict[str, object]:
    """The settings of a recipe; `SettingError` with the nearest name if there is none."""
    try:
        return RECIPES[name, classes]
    except KeyError:
        known = sorted({each for each, _ in RECIPES})
        raise SettingError(f"There is no recipe {name!r}: {nearest(name, known)}") from None
