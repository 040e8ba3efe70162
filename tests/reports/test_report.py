"""Reports, read as a browser and a reader would."""

from __future__ import annotations

import re
import shutil
import sqlite3
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from modelshelf import Configuration, Shelf, probe, report, train
from modelshelf.core.errors import ShelfError
from modelshelf.reports.page import as_markdown
from modelshelf.reports.story import story_of
from tests.conftest import HOSTILE, SCRIPT
from tests.reports.browser import needs_browser, opened
from tests.study.conftest import make_table


@pytest.fixture(scope="module")
def page(searched, tmp_path_factory) -> Path:
    return report(HOSTILE, tmp_path_factory.mktemp("report") / "page.html", searched)


class Outline(HTMLParser):
    """Headings in order, links, and what figures are called."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.headings, self.links, self.ids, self.labels = [], [], set(), []
        self.tags: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        told = dict(attrs)
        self.tags.append(tag)
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag == "a":
            self.links.append(told["href"])
        if tag == "figure":
            self.labels.append(told.get("aria-label"))
        if "id" in told:
            self.ids.add(told["id"])


@needs_browser
@pytest.mark.parametrize(
    ("width", "options"),
    [(1200, ()), (500, ()), (1200, ("--blink-settings=preferredColorScheme=0",))],
    ids=["wide", "narrow", "dark"],
)
def test_a_browser_draws_every_figure_and_says_nothing(page, width, options):
    document, said = opened(page, *options, width=width)
    assert said == ""
    figures = document.count("<figure")
    assert figures >= 3
    assert len(re.findall(r'class="plotly-graph-div[^"]*"', document)) == figures
    assert document.count('class="main-svg"') >= figures


@needs_browser
def test_the_browser_s_console_would_tell(page, tmp_path):
    broken = tmp_path / "broken.html"
    broken.write_text(page.read_text().replace("window.Plotly)", "nothing.at.all)"))
    assert "nothing is not defined" in opened(broken)[1]
    outside = tmp_path / "outside.html"
    image = '<img src="http://127.0.0.1:9/x.png"></main>'
    outside.write_text(page.read_text().replace("</main>", image))
    assert "Content Security Policy" in opened(outside)[1]


def test_names_are_text_and_never_obeyed(page):
    text = page.read_text()
    body = re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)
    assert HOSTILE not in text
    assert SCRIPT not in text
    assert "&lt;img src=x onerror=alert(1)&gt;" in body
    assert "&lt;/script&gt;&lt;script&gt;alert(2)" in body
    assert "img" not in Outline(text).tags


def test_nothing_is_asked_of_elsewhere(page):
    body = re.sub(r"<script.*?</script>", "", page.read_text(), flags=re.DOTALL)
    assert "default-src 'none'" in body
    assert not re.findall(r'(?:src|href)="(?!#)[^"]*"', body)


def test_a_reader_finds_its_way_by_ear_and_by_keyboard(page):
    outline = Outline(page.read_text())
    assert outline.headings[0] == 1
    assert outline.headings.count(1) == 1
    steps = zip(outline.headings, outline.headings[1:], strict=False)
    assert all(after - before <= 1 for before, after in steps)
    assert all(link[1:] in outline.ids for link in outline.links)
    assert all(outline.labels)
    assert {"main", "nav", "header", "footer", "figcaption"} <= set(outline.tags)
    assert 'lang="en"' in page.read_text()


def test_the_report_tells_what_the_shelf_holds(page, searched):
    with Shelf.open(searched) as shelf:
        record = shelf.study(HOSTILE)
    text, winner = page.read_text(), record.result["winner"]
    for told in (winner["barcode"], winner["copy"], record.fingerprint,
                 f"{winner['test']:.4f}", "gradient boosting", "linear model"):  # fmt: skip
        assert told in text
    for line in ("300 rows", "How to reproduce", "What was tried", "The course:"):
        assert line in text


def test_markdown_tells_the_same_and_obeys_no_name(searched, tmp_path):
    text = report(HOSTILE, tmp_path / "page.md", searched).read_text()
    with Shelf.open(searched) as shelf:
        winner = shelf.study(HOSTILE).result["winner"]
    assert winner["barcode"] in text
    assert f"{winner['test']:.4f}" in text
    outside = "\n".join(line for line in text.splitlines() if not line.startswith("    "))
    assert HOSTILE not in outside
    assert SCRIPT not in outside
    assert "label \\| \\`x\\`" in text
    assert all(row.count("|") > 2 for row in text.splitlines() if row.startswith("|"))


def test_markdown_obeys_no_name_of_a_baseline_nor_a_path_of_test_rows(searched):
    story = story_of(HOSTILE, searched)
    evil = "a|b `c` *d* <img src=x> [e](f) \x1b[31m"
    told = replace(
        story,
        study=replace(story.study, settings={**story.study.settings, "test": evil}),
        result=replace(
            story.result, baselines=(replace(story.result.baselines[0], name=evil, test=1.0),)
        ),
    )
    text = as_markdown(told)
    harmless = r"a\|b \`c\` \*d\* \<img src=x\> \[e\](f) \[31m"
    assert f"| {harmless} |" in text
    assert f"Test rows: {harmless};" in text
    assert evil not in text


def test_an_unfinished_study_is_told_as_such(searched, tmp_path):
    shutil.copytree(searched, tmp_path / "s")
    with sqlite3.connect(tmp_path / "s" / "shelf.sqlite") as database:
        database.execute("UPDATE study SET result = NULL, status = 'open'")
    text = report(HOSTILE, tmp_path / "page.html", tmp_path / "s").read_text()
    assert "has not finished" in text
    assert "its score is too good" in text


@pytest.mark.parametrize("name", ["page.pdf", "page"])
def test_another_kind_of_file_is_refused(searched, tmp_path, name):
    with pytest.raises(ShelfError, match=r"\.html or \.md"):
        report(HOSTILE, tmp_path / name, searched)


def test_what_cannot_be_written_or_found_is_said(searched, tmp_path):
    with pytest.raises(ShelfError, match="cannot be written"):
        report(HOSTILE, tmp_path / "no" / "page.html", searched)
    with pytest.raises(ShelfError):
        report("another", tmp_path / "page.html", searched)


def test_every_kind_of_study_has_a_report(searched, tmp_path):
    """Trained by name; beside another; of an older modelshelf, which noted less."""
    shutil.copytree(searched, where := tmp_path / "s")
    train(make_table(60).drop("amount"), target="label", shelf=where,
          configuration=Configuration(epochs=2, hidden_layers=[4]))  # fmt: skip
    with Shelf.open(where) as shelf:
        first = shelf.trials(HOSTILE)[0]
        probe(first.copy, "learning_rate", values=[1e-3, 1e-2], seeds=1, shelf=where)
        kept = {n: v for n, v in shelf.study(HOSTILE).settings.items() if n in ("space", "epochs")}
        shelf.update_study(HOSTILE, settings=kept)
        studies = [each.name for each in shelf.studies()]
    assert len(studies) == 3
    for name in studies:
        for ending in ("html", "md"):
            assert report(name, tmp_path / f"page.{ending}", where).stat().st_size > 1_000


def test_names_cannot_steer_a_terminal_and_looks_at_test_rows_are_told(searched, tmp_path):
    shutil.copytree(searched, where := tmp_path / "s")
    with sqlite3.connect(where / "shelf.sqlite") as database:
        database.execute("UPDATE study SET name = ?, test_uses = 3", ("red \x1b[31m\x07 study",))
    for ending in ("html", "md"):
        text = report("red", tmp_path / f"page.{ending}", where).read_text()
        assert "\x1b" not in re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)
        assert "looked at 3 times" in text
        assert "red" in text
