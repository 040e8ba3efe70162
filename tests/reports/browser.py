"""Chromium, headless: what a page became after its scripts, and what its console said."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

BROWSER = shutil.which("chromium")

needs_browser = pytest.mark.skipif(BROWSER is None, reason="Chromium is not installed")


def opened(page: Path, *options: str, width: int = 1200) -> tuple[str, str]:
    """The page's document after its scripts, and what the browser's console said."""
    assert BROWSER
    done = subprocess.run(
        [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=6000",
         "--enable-logging=stderr", "--dump-dom", f"--window-size={width},900", *options,
         f"file://{page}"],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    return done.stdout, "\n".join(x for x in done.stderr.splitlines() if "CONSOLE" in x)
