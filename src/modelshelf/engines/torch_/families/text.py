"""Networks that read tokens in their order: embeddings, what joins them, and a layer that decides.

Nothing hangs on how much padding stands behind a text: it is left out of means, of the strongest
answers, and of what a recurrent network reads.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional

from modelshelf.core.errors import SettingError
from modelshelf.core.protocols import TrainingData
from modelshelf.space.configuration import Configuration

__all__ = ["TextNet", "build_text"]

_PADDING = 0
_RESERVED = 2  # ids of padding and of an unknown token
_KERNELS = (3, 4, 5)  # tokens that a detector looks at; Kim 2014


def build_text(configuration: Configuration, data: TrainingData) -> TextNet:
    """The network of a configuration, for rows of token ids, (rows, length) int64.

    Raises `SettingError` where rows are no ids of tokens.
    """
    if data.x.dtype.kind != "i":
        raise SettingError(
            "network = text reads tokens, and these rows hold none: --column NAME=text makes a "
            "column text; or use network = dense."
        )
    return TextNet(configuration, data.outputs)


class TextNet(nn.Module):
    """Answers ids (rows, length) with logits or numbers (rows, outputs)."""

    def __init__(self, c: Configuration, outputs: int) -> None:
        super().__init__()
        size, width = c.whole("embedding_size"), c.whole("text_width")
        ids = c.whole("vocabulary_size") + _RESERVED
        self.embedding = nn.Embedding(ids, size, padding_idx=_PADDING)
        joins: dict[str, Any] = {"mean": _Mean, "conv": _Detectors, "recurrent": _BothWays}
        self.join = joins[c.word("text_network")](size, width)
        self.dropout = nn.Dropout(c.number("dropout") if "dropout" in c else 0.0)
        self.out = nn.Linear(self.join.width, outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits, or numbers."""
        lengths = (x != _PADDING).sum(dim=1).clamp(min=1)
        x = x[:, : int(lengths.max()) if len(x) else 1]
        joined = self.join(self.dropout(self.embedding(x)), lengths)
        return self.out(self.dropout(joined))


class _Mean(nn.Module):
    """The mean of the embeddings, and a hidden layer. Source: Joulin et al. 2017."""

    def __init__(self, size: int, width: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(size, width)
        self.width = width

    def forward(self, embedded: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        mean = embedded.sum(dim=1) / lengths[:, None]  # padding's embedding is 0
        return torch.relu(self.hidden(mean))


class _Detectors(nn.Module):
    """The strongest answer of each detector anywhere in the text. Source: Kim 2014."""

    def __init__(self, size: int, width: int) -> None:
        super().__init__()
        self.detectors = nn.ModuleList(nn.Conv1d(size, width, kernel) for kernel in _KERNELS)
        self.width = width * len(_KERNELS)

    def forward(self, embedded: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        found = []
        for kernel, detector in zip(_KERNELS, self.detectors, strict=True):
            # Detectors begin before the first token, so that a text of one is seen too.
            answers = detector(functional.pad(embedded.transpose(1, 2), (kernel - 1, kernel - 1)))
            places = torch.arange(answers.shape[2], device=answers.device)
            behind = places >= (lengths + kernel - 1)[:, None]
            found.append(answers.masked_fill(behind[:, None], -torch.inf).amax(dim=2))
        return torch.relu(torch.cat(found, dim=1))


class _BothWays(nn.Module):
    """What a GRU has in mind after the last token, and another after the first, coming back.

    Source: Cho et al. 2014; Schuster, Paliwal 1997.
    """

    def __init__(self, size: int, width: int) -> None:
        super().__init__()
        self.cells = nn.GRU(size, width, batch_first=True, bidirectional=True)
        self.width = 2 * width

    def forward(self, embedded: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        packed = nn.utils.rnn.pack_padded_sequence(
            embedded, lengths.cpu(), batch_first=True, enforce_sorted=False
        )
        _, last = self.cells(packed)
        return last.transpose(0, 1).flatten(1)
