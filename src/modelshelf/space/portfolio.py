"""Configurations that are known to do well: they are tried before anything else.

They differ from each other, for what one is bad at, another should be good at. How they were
found, and on which data, is told in docs/search.md.
"""

from __future__ import annotations

__all__ = ["PORTFOLIO", "PORTFOLIO_OF_IMAGES", "PORTFOLIO_OF_TEXT"]

# RealMLP's body (Holzmüller et al. 2024) in the space's own cases; what is left is told here.
_BODY: dict[str, object] = {
    "parametrisation": "ntk",
    "optimizer": "adamw",
    "beta2": 0.95,
    "weight_decay": 0.02,
    "regularisation_schedule": "flat_cosine",
    "scaling": "robust",
    "category_embedding": 8,
    "encoding_lr_factor": 0.1,
}
_BINS: dict[str, object] = {"numeric_encoding": "piecewise", "encoding_bins": 32}
_WAVES: dict[str, object] = {"numeric_encoding": "periodic", "encoding_size": 4}
_PLAIN: dict[str, object] = {"optimizer": "adamw", "initialisation": "pytorch"}

PORTFOLIO: tuple[dict[str, object], ...] = (
    {**_BODY, **_BINS, "hidden_layers": (128, 128, 128), "activation": "mish",
     "learning_rate": 0.03, "dropout": 0.1, "batch_size": 256, "encoding_size": 8},
    {**_PLAIN, **_BINS, "hidden_layers": (64, 64), "ensemble_size": 4, "learning_rate": 2e-3,
     "weight_decay": 3e-3, "dropout": 0.2, "batch_size": 128, "scaling": "quantile",
     "encoding_size": 4},
    {**_BODY, **_WAVES, "hidden_layers": (128, 128, 128), "activation": "selu",
     "parametric_activation": "yes", "learning_rate": 0.04, "dropout": 0.15, "batch_size": 256},
    {**_PLAIN, **_BINS, "hidden_layers": (128, 128), "learning_rate": 2e-3, "weight_decay": 5e-3,
     "dropout": 0.1, "batch_size": 256, "scaling": "robust", "encoding_size": 12},
    {**_BODY, "hidden_layers": (192, 192, 192), "activation": "selu", "learning_rate": 0.05,
     "dropout": 0.05, "batch_size": 256},
    {**_PLAIN, **_BINS, "hidden_layers": (64,), "learning_rate": 1e-3, "weight_decay": 2e-2,
     "dropout": 0.2, "batch_size": 64, "scaling": "quantile", "encoding_size": 8},
    {**_BODY, **_WAVES, "hidden_layers": (128, 128), "activation": "silu", "learning_rate": 0.03,
     "dropout": 0.3, "batch_size": 128, "scaling": "quantile"},
    {**_BODY, **_BINS, "hidden_layers": (192, 192), "activation": "mish", "learning_rate": 0.1,
     "dropout": 0.1, "batch_size": 256, "encoding_size": 12, "weight_decay": 5e-3},
    {**_PLAIN, "hidden_layers": (256, 256), "activation": "silu", "learning_rate": 1e-3,
     "dropout": 0.2, "weight_decay": 2e-2, "batch_size": 128, "scaling": "quantile"},
)  # fmt: skip

# For tables with text. They differ in what a text becomes, for that is what ensembles live on.
_TEXT: dict[str, object] = {
    "text": "bag", "optimizer": "adamw", "initialisation": "pytorch", "learning_rate": 1e-3,
    "weight_decay": 0.01, "dropout": 0.3, "batch_size": 64, "hidden_layers": (128,),
    "vocabulary_size": 8_000,
}  # fmt: skip
_BOTH: dict[str, object] = {"tokeniser": "words+characters", "text_counts": "log", "idf": "yes"}

PORTFOLIO_OF_TEXT: tuple[dict[str, object], ...] = (
    {**_TEXT},
    {**_TEXT, **_BOTH, "learning_rate": 2e-3},
    {**_TEXT, "vocabulary_size": 4_000, "activation": "tanh", "batch_size": 32},
    {**_TEXT, **_BOTH, "vocabulary_size": 4_000, "hidden_layers": (192,), "dropout": 0.5},
    {**_TEXT, "text_counts": "log", "idf": "yes", "hidden_layers": (64,)},
    {**_TEXT, "tokeniser": "words+characters", "activation": "silu"},
    {**_TEXT, **_BOTH, "text": "embedding", "hidden_layers": (192,)},
)

# For images. Cheap ones first: in a short study, a large one would be all there is. On a CPU, the
# first of them costs less than a dense network with 256 units, and tells far more.
_CONV: dict[str, object] = {
    "network": "conv", "conv_width": 16, "optimizer": "adamw", "learning_rate": 5e-3,
    "weight_decay": 0.05, "batch_size": 128,
}  # fmt: skip
_PIXELS: dict[str, object] = {
    "optimizer": "adamw", "initialisation": "he_normal", "learning_rate": 2e-3,
    "weight_decay": 0.05, "batch_size": 128,
}  # fmt: skip

PORTFOLIO_OF_IMAGES: tuple[dict[str, object], ...] = (
    {**_CONV},
    {**_CONV, "conv_width": 24, "dropout": 0.2},
    {**_PIXELS, "hidden_layers": (128, 128)},
    {**_CONV, "conv_width": 32, "dropout": 0.2, "image_augmentation": "flip"},
    {**_CONV, "conv_width": 32, "conv_stages": 3, "dropout": 0.2},
    {**_PIXELS, "hidden_layers": (256, 256), "dropout": 0.2},
    {**_CONV, "conv_width": 24, "conv_blocks": 2, "conv_shortcut": "yes", "dropout": 0.2},
)
