"""Figures of a study: scores with intervals, a learning curve, all networks that were tried."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from modelshelf.core.records import Baseline, CurvePoint, Ensemble, Status, TrialRecord, Winner
from modelshelf.insight.figures.theme import BAD, COLOURS, GOOD, QUIET, blank

__all__ = ["curve_figure", "scores_figure", "tried_figure"]

_COLOUR = {
    Status.FINISHED: GOOD,
    Status.STOPPED: COLOURS[5],
    Status.PAUSED: COLOURS[5],
    Status.DIVERGED: BAD,
    Status.FAILED: QUIET,
    Status.RUNNING: QUIET,
}


def scores_figure(
    metric: str, winner: Winner, ensemble: Ensemble | None, baselines: Sequence[Baseline]
) -> Any:
    """What each reaches on the test rows, else on validation rows; 95 % intervals where known."""
    import plotly.graph_objects as go

    tested = winner.test is not None
    rows = [("this network", winner.validation, winner.test, winner.test_interval)]
    if ensemble is not None and ensemble.size > 1:
        name = f"ensemble of {ensemble.size}"
        rows.append((name, ensemble.validation, ensemble.test, ensemble.test_interval))
    rows += [(each.name, each.validation, each.test, None) for each in baselines]
    figure = blank(
        f"{metric} on {'test' if tested else 'validation'} rows", height=120 + 36 * len(rows)
    )
    for i, (name, validation, test, interval) in enumerate(reversed(rows)):
        score = test if tested else validation
        if score is None or not math.isfinite(score):
            continue
        low, high = interval if tested and interval else (score, score)
        figure.add_trace(
            go.Scatter(
                x=[score],
                y=[name],
                mode="markers",
                marker={"size": 11, "color": COLOURS[0 if i == len(rows) - 1 else 6]},
                error_x={"type": "data", "array": [high - score], "arrayminus": [score - low]},
                showlegend=False,
            )
        )
    return figure


def curve_figure(points: Sequence[CurvePoint], best_epoch: int) -> Any:
    """Training and validation loss over epochs; the epoch whose weights were kept is marked."""
    import plotly.graph_objects as go

    figure = blank("How it learned", "epoch", "loss", height=340)
    epochs = [each.epoch for each in points]
    for name, values, colour in (
        ("validation", [each.validation_loss for each in points], COLOURS[0]),
        ("training", [each.train_loss for each in points], COLOURS[6]),
    ):
        if any(map(math.isfinite, values)):
            figure.add_trace(
                go.Scatter(x=epochs, y=values, name=name, mode="lines", line_color=colour)
            )
    if best_epoch:
        figure.add_vline(x=best_epoch, line={"color": GOOD, "dash": "dot"}, annotation_text="kept")
    return figure


def tried_figure(metric: str, trials: Sequence[TrialRecord]) -> Any:
    """Every network of the search by size and score; what was left early is of another colour."""
    import plotly.graph_objects as go

    figure = blank("All networks that were tried", "weights", f"validation {metric}", height=420)
    named = {Status.FINISHED: "trained to the end", Status.STOPPED: "stopped early"}
    for status in (Status.STOPPED, Status.PAUSED, Status.FINISHED):
        those = [e for e in trials if e.status is status and math.isfinite(e.score)]
        if those:
            figure.add_trace(
                go.Scatter(
                    x=[each.parameters for each in those],
                    y=[each.score for each in those],
                    text=[each.barcode for each in those],
                    name=named.get(status, status.value),
                    mode="markers",
                    marker={"size": 6, "opacity": 0.7, "color": _COLOUR[status]},
                    hovertemplate="%{text}<br>%{x:,} weights<br>%{y:.5g}<extra></extra>",
                )
            )
    figure.update_xaxes(type="log")
    return figure
