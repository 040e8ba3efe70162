"""What is seen while a study runs: a calm panel on a terminal, plain lines elsewhere."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from rich.console import Console, OverflowMethod, RenderableType
from rich.text import Text

from modelshelf.cli.compiling import COMPILING
from modelshelf.cli.panel import Panel
from modelshelf.cli.words import barcode_text, number, short
from modelshelf.core.records import Direction
from modelshelf.core.words import counted

if TYPE_CHECKING:
    from modelshelf.data.metrics import Metric
    from modelshelf.study.progress import Progress

__all__ = ["Live"]

_CALM = 0.25  # seconds between two drawings of the panel
_BEAT = 5.0  # seconds between two plain lines
_SPARKS = "▁▂▃▄▅▆▇█"
_COUNTED = {"re-testing": "re-test", "repairing": "lost network"}
_FIRST = "the first networks are at work"


class Live(Panel):
    """Shows a study's progress. Give it to `run_study` as its observer."""

    def __init__(self, console: Console, metric: Metric) -> None:
        super().__init__(console)
        self._metric = metric
        self._drawn = -math.inf
        self._said: tuple[str, str] = ("", "")
        self._noted = False

    def __call__(self, progress: Progress) -> None:
        """Show a progress, if it is time to; at first, what is to be known of the study's rows."""
        if not self._noted:
            self._noted = True
            for note in progress.notes:
                self.console.print(note, markup=False)
        now = time.monotonic()
        if self.is_live:
            if now - self._drawn >= _CALM:
                self._drawn = now
                self.draw(self.rows(progress))
            return
        news = (progress.phase, progress.best_barcode)
        beat = _BEAT if progress.phase != "compiling" else 1.0
        due = now - self._drawn >= beat or progress.phase != self._said[0]
        if due or (news != self._said and now - self._drawn >= 1.0):
            self._drawn, self._said = now, news
            self.console.print(self.line(progress))

    def line(self, progress: Progress) -> str:
        """The plain line: everything that matters, in one row."""
        if progress.phase == "compiling":
            return f"[{_left(progress)}] {COMPILING.format(*progress.parts)}"
        parts = [f"[{_left(progress)}]", progress.phase]
        if progress.retests[1] and progress.phase in _COUNTED:
            parts.append(f"{progress.retests[0]} of {progress.retests[1]}")
        parts.append(f"{progress.started} started, {progress.paused} paused or stopped,")
        parts.append(f"{progress.finished} finished, {progress.diverged} diverged")
        if progress.best_barcode:
            best = f"· best {self._metric.name} {number(progress.best_score)}"
            parts.append(f"{best} {progress.best_barcode}")
        elif progress.started:
            parts.append(f"· {_FIRST}")
        return " ".join(parts)

    def rows(self, progress: Progress) -> list[RenderableType]:
        """What is drawn: time left, counts, the best so far and how it came, what is at work."""
        if progress.phase == "compiling":
            told = Text(f"{COMPILING.format(*progress.parts)}  ", style="bold")
            return [told.append(_left(progress), style="cyan")]
        head = Text(f"{progress.phase}  ", style="bold").append(_left(progress), style="cyan")
        if progress.retests[1] and progress.phase in _COUNTED:
            what = _COUNTED[progress.phase]
            head.append(f"  {progress.retests[0]} of {counted(progress.retests[1], what)}")
        counts = Text(
            f"{counted(progress.started, 'network')} started · "
            f"{progress.paused} paused or stopped · {progress.finished} finished · "
            f"{progress.diverged} diverged"
        )
        if progress.failed:
            counts.append(f" · {progress.failed} failed", style="red")
        rows: list[RenderableType] = [head, counts]
        if progress.best_configuration is not None:
            best = Text("best  ", style="dim").append(
                number(progress.best_score), style="bold green"
            )
            best.append(f" {self._metric.name}  {progress.best_barcode}  ")
            rows.append(best.append(barcode_text(progress.best_configuration)))
            rows.append(Text(f"      {short(progress.best_configuration)}", style="dim"))
            rows.append(self._history(progress))
        elif progress.started:
            rows.append(Text(_FIRST, style="dim"))
        rows += [
            Text(f"      {each.name} reaches {number(each.validation)}", style="dim")
            for each in progress.baselines
        ]
        for configuration, start, end in progress.running:
            at_work = f"now   {short(configuration)}  epochs {start + 1} to {end}"
            # Where there is no room for a line, the numbers at its end go on in the next.
            fits = self.console.width >= 80
            overflow: OverflowMethod = "ellipsis" if fits else "fold"
            rows.append(Text(at_work, style="dim", no_wrap=fits, overflow=overflow))
        return rows

    def _history(self, progress: Progress) -> Text:
        """How the best score changed, as a line of blocks."""
        most = max(min(40, self.console.width - 8), 2)
        scores = [score for _, score in progress.improvements if math.isfinite(score)][-most:]
        if len(scores) < 2:
            return Text("")
        low, high = min(scores), max(scores)
        span = (high - low) or 1.0
        marks = "".join(_SPARKS[round((s - low) / span * (len(_SPARKS) - 1))] for s in scores)
        way = "up" if self._metric.direction is Direction.MAXIMIZE else "down"
        return Text(
            f"      {marks}  {way} from {number(scores[0])} in {counted(len(scores) - 1, 'step')}",
            style="dim",
        )


def _left(progress: Progress) -> str:
    if progress.limit is not None:
        left = max(progress.limit - progress.elapsed, 0.0)
        most = "at most " if progress.at_most and progress.phase == "searching" else ""
        return f"{most}{left:.0f} s left" if left < 600 else f"{most}{left / 60:.0f} min left"
    return f"{progress.elapsed:.0f} s, {progress.started} of {progress.trials_limit}"
