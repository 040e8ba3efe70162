"""Docs do not lag: what they show runs, and what exists is in them."""

from __future__ import annotations

import doctest
import importlib
import importlib.util
import pkgutil
import re
from pathlib import Path

import pytest

import modelshelf
from modelshelf.core import errors
from tests.study.conftest import make_table

ROOT = Path(__file__).parents[1]


def modules():
    return sorted(
        each.name
        for each in pkgutil.walk_packages(modelshelf.__path__, "modelshelf.")
        if ".migrations" not in each.name
    )


@pytest.mark.parametrize("name", modules())
def test_examples_in_docstrings_run(name):
    module = importlib.import_module(name)
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize("name", modules())
def test_exports_are_said_and_exist(name):
    module = importlib.import_module(name)
    public = [n for n, v in vars(module).items()
              if not n.startswith("_") and getattr(v, "__module__", None) == name
              and not isinstance(v, type(importlib))]  # fmt: skip
    exported = set(getattr(module, "__all__", ()))
    assert all(hasattr(module, n) for n in exported)
    helpers = {n for n in public if n not in exported and callable(getattr(module, n))}
    assert not helpers, f"{name} has public names that __all__ does not say: {helpers}"


def test_the_package_exports_what_it_says():
    for name in modelshelf.__all__:
        assert getattr(modelshelf, name) is not None
    with pytest.raises(AttributeError):
        _ = modelshelf.nothing


def test_hyperparameters_md_is_what_the_catalogue_says():
    path = ROOT / "docs" / "make_hyperparameters.py"
    spec = importlib.util.spec_from_file_location("make_hyperparameters", path)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    assert (ROOT / "docs" / "hyperparameters.md").read_text(encoding="utf-8") == script.page()


def test_the_readme_s_python_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        code = block.replace("trials=30", "trials=4")
        assert code != block
        exec(code, {"frame": make_table().drop("amount")})


def test_links_in_the_docs_lead_somewhere():
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / link).exists(), f"{page.name}: {link}"


def test_the_error_tree_in_the_docstring_is_the_tree():
    for name in errors.__all__:
        if isinstance(getattr(errors, name), type):
            assert name in errors.__doc__


def test_no_source_file_is_too_long():
    for path in (ROOT / "src").rglob("*.py"):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 400, path
