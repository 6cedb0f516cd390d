"""The ledger's schema: made once, carried on from earlier agents, all or nothing; and sqlite-utils without pandas."""

import importlib.util
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from nacl.signing import SigningKey

from edge.errors import ConfigError, StorageError, VerificationError
from edge.offline.frame_chain import check_chain
from edge.offline.ledger_reader import open_ledger
from edge.runtime.clock import ManualClock
from edge.store.batch import Batch
from edge.store.ledger import Ledger, Signer
from edge.store.migrations import APPLICATION_ID, ledger_schema, migrate
from edge.store.repository import CounterRow, MeterRow
from edge.store.sqlite_tools import Database
from edge.wire.kinds import Stop
from edge.wire.records import encode_record

NOW_MS = 1_780_000_000_000
KEY = SigningKey(bytes(range(32)))
SCHEMA = "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE '%sqlite_%' ORDER BY name"
STEPS = ["0001_initial", "0002_known", "0003_message"]
LATER_TABLES = {"known", "message"}
"""Those that the first agents did not have."""
FIRST = (Path(__file__).parent / "first_ledger.sql").read_text()


def ledger(folder: Path, boot: bytes = b"b" * 16) -> Ledger:
    return Ledger(folder / "ledger.sqlite", Signer("gw-north", boot, KEY), ManualClock(NOW_MS))


def opened(folder: Path) -> sqlite3.Connection:
    return sqlite3.connect(folder / "ledger.sqlite", isolation_level=None)


def schema(folder: Path) -> list[tuple[str, str, str]]:
    with closing(opened(folder)) as db:
        return list(db.execute(SCHEMA))


def without_later_tables(folder: Path) -> list[tuple[str, str, str]]:
    """The schema that the first agents know; they never look at other tables."""
    assert {name for _, name, _ in schema(folder)} >= LATER_TABLES
    return [row for row in schema(folder) if row[1] not in LATER_TABLES]


def steps(folder: Path) -> list[str]:
    with closing(opened(folder)) as db:
        return [name for (name,) in db.execute("SELECT name FROM _sqlite_migrations ORDER BY id")]


def leave_as_the_first_agents_did(folder: Path) -> None:
    with closing(opened(folder)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.executescript(FIRST)


def test_a_ledger_of_the_first_agents_is_carried_on(tmp_path: Path) -> None:
    leave_as_the_first_agents_did(tmp_path)
    before = schema(tmp_path)
    own = ledger(tmp_path)
    own.open()
    (sealed,) = own.seal()
    with own.reading() as repository:
        assert repository.meters() == [MeterRow(7, "METER_001", "A", "sdm630", b"p")]
        assert repository.counters() == [CounterRow("METER_001", 7, 41, 1000, 12, 3, "A")]
        assert repository.waiting_sequences(9) == [(b"a" * 16, 2), (b"b" * 16, 1)]
    own.close()
    assert (sealed.id, sealed.frame.records) == (3, (encode_record(Stop(NOW_MS + 4, "x")),))
    with open_ledger(tmp_path) as reader:
        report = check_chain(reader.frames(), bytes(KEY.verify_key))
    assert (report.frames, report.boots, report.faults) == (3, 2, [])
    assert without_later_tables(tmp_path) == before
    assert steps(tmp_path) == STEPS
    assert not list(tmp_path.glob("*.quarantine-*"))


def test_a_new_ledger_is_the_same_and_an_earlier_agent_can_open_it(tmp_path: Path) -> None:
    (tmp_path / "earlier").mkdir()
    leave_as_the_first_agents_did(tmp_path / "earlier")
    ledger(tmp_path).open()
    assert without_later_tables(tmp_path) == schema(tmp_path / "earlier")
    with closing(opened(tmp_path)) as db:
        marks = [db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("user_version", "application_id")]
    assert marks == [1, APPLICATION_ID]


def test_opening_again_writes_nothing(tmp_path: Path) -> None:
    own = ledger(tmp_path)
    own.open()
    own.close()
    with closing(opened(tmp_path)) as db:
        before = db.execute("PRAGMA data_version").fetchone()
        again = ledger(tmp_path)
        again.open()
        assert db.execute("PRAGMA data_version").fetchone() == before
        again.close()
    assert steps(tmp_path) == STEPS


def test_a_step_that_fails_leaves_the_ledger_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = ledger(tmp_path)
    own.open()
    own.commit(Batch(records=[encode_record(Stop(NOW_MS, "kept"))]))
    own.close()
    before = schema(tmp_path)

    def half(db: Database) -> None:
        db.table("frame").add_column("lane", str)
        db.execute("INSERT INTO nowhere VALUES (1)")

    monkeypatch.setattr(ledger_schema, "_migrations", list(ledger_schema._migrations))
    ledger_schema(name="9999_half")(half)
    with pytest.raises(StorageError, match="nowhere"):
        ledger(tmp_path).open()
    assert schema(tmp_path) == before
    assert steps(tmp_path) == STEPS
    monkeypatch.undo()
    own.open()
    assert own.seal()[0].frame.header.record_count == 1


def test_the_connection_stays_as_the_hot_path_needs_it() -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        migrate(db)
        assert db.isolation_level is None
        assert not db.in_transaction
        assert db.execute("PRAGMA recursive_triggers").fetchone() == (0,)


@pytest.mark.parametrize(
    ("content", "error", "says"),
    [
        (None, ConfigError, "has the agent run yet"),
        (b"no database at all" * 100, VerificationError, "is damaged"),
        (b"", VerificationError, "is no ledger"),
    ],
)
def test_what_is_no_ledger_does_not_pass_for_an_empty_one(
    tmp_path: Path, content: bytes | None, error: type[Exception], says: str
) -> None:
    if content is not None:
        (tmp_path / "ledger.sqlite").write_bytes(content)
    with pytest.raises(error, match=says), open_ledger(tmp_path) as reader:
        reader.count_waiting()


def test_a_ledger_is_read_beyond_a_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.offline.ledger_reader.PAGE", 2)
    own = ledger(tmp_path)
    own.open()
    for number in range(5):
        own.commit(Batch(records=[encode_record(Stop(NOW_MS + number, "x"))]))
        own.seal()
    own.commit(Batch(records=[encode_record(Stop(NOW_MS, "waits"))]))
    with open_ledger(tmp_path) as reader:
        assert [frame.header.sequence for frame in reader.frames()] == [1, 2, 3, 4, 5]
        assert (reader.count_waiting(), reader.count_unsealed()) == (5, 1)


def test_sqlite_utils_comes_without_pandas_and_hides_it_from_nobody() -> None:
    assert importlib.util.find_spec("pandas"), "this test means something only where pandas is installed"
    code = (
        "import sys, edge.agent\n"
        "assert 'sqlite_utils' in sys.modules\n"
        "assert not {'pandas', 'numpy'} & set(sys.modules)\n"
        "import numpy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
