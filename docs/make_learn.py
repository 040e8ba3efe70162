"""Makes the notebooks of docs/learn from docs/learn/source, executed; and pages from them.

python docs/make_learn.py                 every notebook
python docs/make_learn.py 03 07           these alone
python docs/make_learn.py --pages DIR     HTML pages too, with their figures drawn
"""

from __future__ import annotations

import argparse
import json
import os
import re
import tempfile
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

__all__ = ["LEARN", "SOURCES", "notebook", "pieces"]

LEARN = Path(__file__).parent / "learn"
SOURCES = LEARN / "source"

_FIGURE = "application/vnd.plotly.v1+json"
_KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def pieces(text: str) -> Iterator[tuple[str, str]]:
    """The cells of a script in the percent format: `markdown` or `code`, and what is in each.

    >>> list(pieces("# %% [markdown]\\n# # Title\\n\\n# %%\\nx = 1\\n"))
    [('markdown', '# Title'), ('code', 'x = 1')]
    """
    for piece in re.split(r"^# %%", text, flags=re.MULTILINE)[1:]:
        head, _, body = piece.partition("\n")
        if "[markdown]" in head:
            yield "markdown", re.sub(r"^# ?", "", body, flags=re.MULTILINE).strip()
        else:
            yield "code", body.strip()


def notebook(source: Path) -> dict[str, Any]:
    """A source as a notebook (nbformat 4.5) that was not executed."""
    cells: list[dict[str, Any]] = []
    for kind, body in pieces(source.read_text(encoding="utf-8")):
        code = {"execution_count": None, "outputs": []} if kind == "code" else {}
        lines = body.splitlines(keepends=True)
        cells.append(
            {"cell_type": kind, "id": f"cell-{len(cells)}", "metadata": {}, "source": lines} | code
        )
    metadata = {"kernelspec": _KERNEL, "language_info": {"name": "python"}}
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def executed(made: dict[str, Any]) -> Any:
    """The notebook with its outputs, executed in an empty folder."""
    import nbformat
    from nbclient import NotebookClient

    book = nbformat.reads(json.dumps(made), as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(
            book,
            kernel_name="python3",
            record_timing=False,
            resources={"metadata": {"path": folder}},
            extra_arguments=["--log-level=ERROR"],
        )
        client.execute()
    book.metadata.language_info = {"name": "python"}  # the version would change with the machine
    return book


def without_figures(book: Any) -> Any:
    """The notebook to be committed: in the place of a figure, its title. Figures are large."""
    for output in _shown(book):
        if _FIGURE in output.data:
            title = output.data[_FIGURE]["layout"].get("title", {}).get("text", "a figure")
            output.data = {"text/plain": f"[Figure: {title}. Run the notebook to see it.]"}
        else:
            output.data = {"text/plain": output.data["text/plain"]}
    return book


def page(book: Any, name: str) -> str:
    """The notebook as an HTML page, which reads `plotly.min.js` beside it."""
    import plotly.io
    from jinja2 import Template
    from nbconvert import HTMLExporter

    from modelshelf.insight.figures.theme import html

    for output in _shown(book):
        if _FIGURE in output.data:
            figure = plotly.io.from_json(json.dumps(output.data[_FIGURE]))
            output.data = {"text/html": html(figure, library=False)}
    for cell in book.cells:
        if cell.cell_type == "markdown":
            cell.source = re.sub(r"\]\(([\w-]+)\.(?:ipynb|md)\)", _to_page, cell.source)
    exporter = HTMLExporter(
        template_name="basic", exclude_input_prompt=True, exclude_output_prompt=True
    )
    body, _ = exporter.from_notebook_node(book)
    template = Template((SOURCES / "page.html.j2").read_text(encoding="utf-8"), autoescape=True)
    return template.render(title=name, body=body, style=_style())


def _to_page(link: re.Match[str]) -> str:
    return f"]({'index' if link[1] == 'README' else link[1]}.html)"


def _style() -> str:
    """Colours of code, on light and on dark pages."""
    from pygments.formatters import HtmlFormatter

    light = HtmlFormatter(style="default").get_style_defs(".highlight")
    dark = HtmlFormatter(style="monokai").get_style_defs(".highlight")
    return f"{light}\n@media (prefers-color-scheme: dark) {{ {dark} }}"


def _shown(book: Any) -> Iterator[Any]:
    """What cells display, but for what they print."""
    for cell in book.cells:
        for output in cell.get("outputs", ()):
            if "data" in output:
                yield output


def write_index(folder: Path) -> None:
    """The first page, from README.md, and the script that draws figures."""
    import nbformat
    from plotly.offline import get_plotlyjs

    text = (LEARN / "README.md").read_text(encoding="utf-8")
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text)])
    (folder / "index.html").write_text(page(book, "modelshelf: learn"), encoding="utf-8")
    (folder / "plotly.min.js").write_text(get_plotlyjs(), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description="Makes the notebooks of docs/learn.")
    parser.add_argument("numbers", nargs="*", help="such as 03; all, if none is given")
    parser.add_argument("--pages", type=Path, help="a folder for HTML pages")
    asked = parser.parse_args()
    import nbformat

    os.environ["PLOTLY_RENDERER"] = "plotly_mimetype"
    if asked.pages:
        asked.pages.mkdir(parents=True, exist_ok=True)
        write_index(asked.pages)
    for source in sorted(SOURCES.glob("*.py")):
        if asked.numbers and source.name[:2] not in asked.numbers:
            continue
        book = executed(notebook(source))
        if asked.pages:
            text = page(deepcopy(book), source.stem)
            (asked.pages / f"{source.stem}.html").write_text(text, encoding="utf-8")
        nbformat.write(without_figures(book), LEARN / f"{source.stem}.ipynb")
        print(source.stem)


if __name__ == "__main__":
    main()
