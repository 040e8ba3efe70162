"""The learner's path: each notebook runs, is what its source says, and leads to the next."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from threadpoolctl import threadpool_limits

from tests.reports.browser import needs_browser, opened

ROOT = Path(__file__).parents[1]
LEARN = ROOT / "docs" / "learn"
NOTEBOOKS = sorted(LEARN.glob("*.ipynb"))
NAMES = [each.stem for each in NOTEBOOKS]

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=NAMES)


def maker():
    spec = importlib.util.spec_from_file_location("make_learn", ROOT / "docs" / "make_learn.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script


def cells(path: Path) -> list[dict]:
    found = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [{**each, "source": "".join(each["source"])} for each in found]


def written(path: Path) -> str:
    return "\n\n".join(e["source"] for e in cells(path) if e["cell_type"] == "markdown")


def run(path: Path, change=lambda code: code) -> dict:
    """The names that a notebook leaves, after all its code."""
    names: dict = {"__name__": "__main__"}
    for i, each in enumerate(cells(path)):
        if each["cell_type"] == "code":
            exec(compile(change(each["source"]), f"{path.stem}, cell {i}", "exec"), names)
    return names


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """An empty folder for what notebooks write. One thread, as other tests run at the same time."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with threadpool_limits(1):
        yield tmp_path


@each_notebook
def test_a_notebook_runs(path, elsewhere, capsys):
    run(path)
    assert capsys.readouterr().out


def test_a_notebook_that_fails_is_noticed(elsewhere):
    with pytest.raises(Exception, match="learning_rte"):
        run(NOTEBOOKS[0], lambda code: code.replace("learning_rate=0.01", "learning_rte=0.01"))


@each_notebook
def test_a_notebook_is_what_its_source_says(path):
    source = LEARN / "source" / f"{path.stem}.py"
    wanted = maker().notebook(source)["cells"]
    made = cells(path)
    assert [(e["cell_type"], e["source"]) for e in made] == [
        (e["cell_type"], "".join(e["source"])) for e in wanted
    ], "run python docs/make_learn.py"
    assert len(NOTEBOOKS) == len(list((LEARN / "source").glob("*.py"))) == 16


@each_notebook
def test_a_notebook_has_its_parts(path):
    place = NOTEBOOKS.index(path)
    first, last = cells(path)[0]["source"], cells(path)[-1]["source"]
    after = NOTEBOOKS[place + 1].name if place + 1 < len(NOTEBOOKS) else "README.md"
    assert first.startswith(f"# {place + 1} · ")
    assert "**Question.**" in written(path)
    assert "What you saw" in last
    assert f"]({after})" in last.splitlines()[-1]
    assert len(cells(path)) <= 40
    assert path.name in (LEARN / "README.md").read_text(encoding="utf-8")


@each_notebook
def test_a_notebook_was_executed_without_an_error(path):
    code = [each for each in cells(path) if each["cell_type"] == "code"]
    assert [each["execution_count"] for each in code] == list(range(1, len(code) + 1))
    kinds = {output["output_type"] for each in code for output in each["outputs"]}
    assert kinds <= {"stream", "display_data", "execute_result"}
    assert not any(output.get("name") == "stderr" for each in code for output in each["outputs"])
    assert path.stat().st_size < 200_000


@each_notebook
def test_a_notebook_tells_no_place_of_the_machine_that_made_it(path):
    text = path.read_text(encoding="utf-8")
    assert not re.findall(r"(?:/tmp|/home|/root|/work|/usr|/Users)/|[A-Z]:\\\\", text)


#: What the course notes name, and where the path must show it.
COURSE = {
    "01": ["barcode", "shelf", "step size", "batch size", "dropout rate", "weight decay", "loss"],
    "02": ["N, D_in, H, D_out = 64, 1000, 100, 10", "def simple_nn(x):", "np.maximum(h, 0)"],
    "03": ["class TwoLayerNet", "class SimpleNN", "MSELoss", "optimizer.zero_grad()",
           "module=TwoLayerNet", "module=SimpleNN"],
    "04": ["requires_grad", ".backward()", "no_grad", "to(device)", "in-place|in place", "hook",
           "module=Net"],
    "05": ["Fully connected", "forward function"],
    "06": ["with momentum"],
    "07": ["Adam(learning_rate=0.001)", "batch_size=32", "epochs=50", "RMSprop", "SGD", "Xavier",
           "Dropout(0.5)", "HeNormal()", "l2(0.01)", "L1", "weight_decay", "cross_entropy"],
    "08": ["EarlyStopping(monitor='val_loss', patience=5)"],
    "09": ["breaking a text sample into words", "tokenise(", '{"text": "text"}'],
    "10": ["Learning outcome 1", "dissect(", "training_step("],
    "11": ["Learning outcome 2", "worth("],
    "12": ["Learning outcome 3", "train_like(", "compare(", "Space("],
    "13": ["Learning outcome 4", "explain(", '"depth"', '"width"', '"activation"'],
    "14": ["Learning outcome 5", "sample_submission.csv", "report(", "later versions"],
    "15": ["conv2d", "pooling", "augmentation", 'network="conv"'],
    "16": ["to(device)", "bmm", 'device="auto"', "--device"],
}  # fmt: skip


@each_notebook
def test_what_the_course_names_is_there(path):
    text = re.sub(r"\s+", " ", "\n".join(each["source"] for each in cells(path)))
    for words in COURSE[path.stem[:2]]:
        assert any(each in text for each in words.split("|")), words


@pytest.fixture(scope="module")
def pages(tmp_path_factory) -> Path:
    pytest.importorskip("nbclient", reason='needs pip install "modelshelf[learn]"')
    folder = tmp_path_factory.mktemp("pages")
    shutil.copytree(ROOT / "docs", folder / "docs")  # the notebooks here stay as they are
    script = [sys.executable, folder / "docs" / "make_learn.py", "--pages", folder / "pages"]
    subprocess.run(script, check=True, capture_output=True)
    return folder / "pages"


@pytest.mark.slow
@needs_browser
@pytest.mark.parametrize("name", ["index", *NAMES])
def test_a_browser_draws_a_page_and_says_nothing(pages, name):
    document, said = opened(pages / f"{name}.html")
    assert said == ""
    figures = len(re.findall(r'class="plotly-graph-div[^"]*"', document))
    book = LEARN / f"{name}.ipynb"
    wanted = book.read_text(encoding="utf-8").count("[Figure: ") if name != "index" else 0
    assert figures == wanted
    assert document.count('class="main-svg"') >= figures
    for link in re.findall(r'<a href="([^"#:]+)"', document):
        assert (pages / link).exists(), link
