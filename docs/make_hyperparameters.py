"""Writes docs/hyperparameters.md from the catalogue. A test fails when it lags."""

from __future__ import annotations

from pathlib import Path

from modelshelf.space.catalogue import CATALOGUE
from modelshelf.space.space import Space

__all__ = ["page"]


def page() -> str:
    """The page, as Markdown."""
    space = Space()
    lines = [
        "# Hyperparameters",
        "",
        "Made from the catalogue by `python docs/make_hyperparameters.py`: do not edit.",
        "",
        "*Searched* is what a search varies where no `--space` is given; with fewer than 5,000",
        "training rows, `epochs` is then 200.",
    ]
    for group in ("structure", "training", "regularisation", "preparation", "images", "text"):
        lines += ["", f"## {group.capitalize()}"]
        for name, h in CATALOGUE.items():
            if h.group != group:
                continue
            searched = space.varied[name].words() if name in space.varied else "no"
            active = f"\n- active when {h.active_when}" if h.active_when else ""
            off = f"\n- switched off by {h.off}" if h.off is not None else ""
            lines += [
                "",
                f"### `{name}`",
                "",
                h.meaning,
                "",
                f"- {h.domain.words()}; default {h.default}\n- searched: {searched}{active}{off}",
                f"- too little: {h.too_little}",
                f"- too much: {h.too_much}",
                f"- source: {h.source}",
            ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    Path(__file__).with_name("hyperparameters.md").write_text(page(), encoding="utf-8")
