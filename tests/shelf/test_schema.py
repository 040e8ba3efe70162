from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

import modelshelf.shelf
from modelshelf.core.errors import ShelfError
from modelshelf.core.records import Status
from modelshelf.shelf import Job, Shelf, database, migrate, schema
from tests.shelf.helpers import fill, new_trial

GOLDEN = Path(__file__).parent / "golden"


def described(connection: sqlite3.Connection) -> dict[str, object]:
    """Every table with its columns, keys and indexes, as SQLite understands them."""
    found: dict[str, object] = {}
    tables = connection.execute(
        "select name, sql from sqlite_master where type = 'table' and name not like 'sqlite_%'"
    ).fetchall()
    for table, sql in tables:
        indexes = sorted(
            (*index[1:], connection.execute(f"pragma index_xinfo({index[1]})").fetchall())
            for index in connection.execute(f"pragma index_list({table})").fetchall()
        )
        keys = sorted(
            row[2:] for row in connection.execute(f"pragma foreign_key_list({table})").fetchall()
        )
        columns = connection.execute(f"pragma table_info({table})").fetchall()
        found[table] = (columns, keys, indexes, "WITHOUT ROWID" in sql.upper())
    return found


def test_the_migrations_make_what_the_schema_says(tmp_path: Path) -> None:
    file = tmp_path / "migrated.sqlite"
    sqlite3.connect(file).close()
    connection = database.connect(f"{file.as_uri()}?mode=rw")
    with database._transaction(connection):
        migrate.upgrade(connection)
    connection.close()
    (tmp_path / "made.sqlite").write_bytes(database.fresh())
    migrated, made = sqlite3.connect(file), sqlite3.connect(tmp_path / "made.sqlite")
    assert described(made) == described(migrated)
    assert migrated.execute("select version_num from alembic_version").fetchall() == [
        (schema.HEAD,)
    ]
    made.close()
    migrated.close()


def test_the_revisions_are_those_of_the_migrations() -> None:
    script = ScriptDirectory.from_config(migrate.configured())
    assert [each.revision for each in script.walk_revisions()] == list(reversed(schema.REVISIONS))


def test_the_first_migration_does_not_follow_the_schema() -> None:
    folder = Path(modelshelf.shelf.__file__).parent / "migrations" / "versions"
    for file in folder.glob("0*.py"):
        assert "import modelshelf" not in file.read_text()
        assert "from modelshelf" not in file.read_text()


def golden(folder: Path, revision: str) -> Path:
    """A shelf as an older modelshelf left it."""
    shutil.copytree(GOLDEN / revision / "files", folder)
    connection = sqlite3.connect(folder / "shelf.sqlite")
    connection.executescript((GOLDEN / revision / "shelf.sql").read_text(encoding="utf-8"))
    connection.execute(f"pragma application_id={schema.APPLICATION_ID}")
    connection.close()
    return folder


@pytest.mark.parametrize("revision", schema.REVISIONS)
def test_a_shelf_of_every_revision_opens(tmp_path: Path, revision: str) -> None:
    with Shelf.open(golden(tmp_path / "old", revision)) as shelf:
        assert shelf.check() == ()
        assert [each.name for each in shelf.studies()] == ["Größe 'a'"]
        found = shelf.study("Größe 'a'")
        assert found.result == {"winner": None}
        assert [t.status for t in shelf.trials(found.name, sort="number")] == [
            Status.FINISHED,
            Status.PAUSED,
            Status.RUNNING,
        ]
        assert shelf.trial(found.name, 0).score == 0.1 + 0.2
        assert len(shelf.curve(found.name, 0)) == 4
        assert [each.retired for each in shelf.jobs(found.name)] == [0, 1, None]
        tensors, _ = shelf.read_network((found.name, 0))
        assert tensors["weights"].tolist() == [0.5, -1.25]
        assert shelf.read_preparation(shelf.preparation_of(found.name, 0))[0] == {"columns": ["é"]}
        shelf.write(found.name, trials=[new_trial(3)], jobs=[Job(3, 3, 0, 0, 1)])
        assert shelf.check() == ()


NEXT = '''
"""A revision to come."""
import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table("extra", sa.Column("id", sa.Integer, primary_key=True))
    for table in ("study", "trial"):  # made anew, with all that belongs to them in place
        with op.batch_alter_table(table, recreate="always") as batch:
            batch.add_column(sa.Column("note", sa.Text))
    {last}
'''


def with_next_revision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, last: str = "pass") -> None:
    migrations = tmp_path / "migrations"
    shutil.copytree(Path(modelshelf.shelf.__file__).parent / "migrations", migrations)
    (migrations / "versions" / "0002_next.py").write_text(NEXT.format(last=last))
    monkeypatch.setattr(migrate, "LOCATION", str(migrations))
    monkeypatch.setattr(schema, "REVISIONS", ("0001", "0002"))
    monkeypatch.setattr(schema, "HEAD", "0002")


def tables(shelf: Path) -> set[str]:
    connection = sqlite3.connect(shelf / "shelf.sqlite")
    found = {row[0] for row in connection.execute("select name from sqlite_master")}
    connection.close()
    return found


def test_an_older_shelf_is_brought_up_to_date(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Shelf.open(tmp_path / "shelf", create=True) as shelf:
        fill(shelf)
        before = shelf.trials(), shelf.studies(), shelf.jobs("a"), repr(shelf.curve("a", 0))
    with_next_revision(tmp_path, monkeypatch)
    for _ in range(2):
        with Shelf.open(tmp_path / "shelf") as shelf:
            after = shelf.trials(), shelf.studies(), shelf.jobs("a"), repr(shelf.curve("a", 0))
            assert after == before
            assert shelf.check() == ()
    assert "extra" in tables(tmp_path / "shelf")


def test_a_migration_that_fails_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Shelf.open(tmp_path / "shelf", create=True) as shelf:
        fill(shelf)
    with monkeypatch.context() as patch:
        with_next_revision(tmp_path, patch, last="raise OSError(28, 'No space left on device')")
        with pytest.raises(ShelfError, match="disk is full"):
            Shelf.open(tmp_path / "shelf")
    assert "extra" not in tables(tmp_path / "shelf")
    with Shelf.open(tmp_path / "shelf") as shelf:
        assert shelf.check() == ()


def test_opening_and_making_a_shelf_loads_no_alembic(tmp_path: Path) -> None:
    code = (
        "import sys; from modelshelf.shelf import Shelf\n"
        f"Shelf.open({str(tmp_path)!r}, create=True).close()\n"
        f"Shelf.open({str(tmp_path)!r}).close()\n"
        "slow = {'alembic', 'safetensors', 'filelock'} & set(sys.modules)\n"
        "sys.exit(str(slow) if slow else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
