"""The ledger's schema in numbered steps; sqlite-utils keeps in the file itself which of them it has.

A new step is a function below the last one. It gets a sqlite-utils ``Database``, whose ``transform()`` does what a
plain ``ALTER TABLE`` can not; whole tables are written as SQL beside this file.
"""

import sqlite3
from importlib.resources import files

from edge.store.sqlite_tools import Database, Migrations, database_on

APPLICATION_ID = 0x50575431
"""``PWT1``: SQLite's mark for the application that a file belongs to."""

ledger_schema = Migrations("peerwatt_ledger")


def migrate(connection: sqlite3.Connection) -> None:
    """Brings a ledger to the newest schema in one transaction; writes nothing when no step is missing.

    Raises:
        sqlite3.Error: the file can not be read or written.
    """
    db = database_on(connection)
    with db.atomic():
        ledger_schema.apply(db)
        if _pragma(db, "application_id") != APPLICATION_ID:
            db.execute(f"PRAGMA application_id = {APPLICATION_ID}")


@ledger_schema(name="0001_initial")
def _initial(db: Database) -> None:
    # The first agents counted in user_version: a ledger of theirs has these tables, and they open ours when it is set
    if _pragma(db, "user_version") == 0:
        db.executescript(_script("0001_initial.sql"))
        db.execute("PRAGMA user_version = 1")


@ledger_schema(name="0002_known")
def _known(db: Database) -> None:
    db.executescript(_script("0002_known.sql"))


@ledger_schema(name="0003_message")
def _message(db: Database) -> None:
    db.executescript(_script("0003_message.sql"))


def _script(name: str) -> str:
    return (files(__name__) / name).read_text()


def _pragma(db: Database, name: str) -> int:
    return int(db.execute(f"PRAGMA {name}").fetchone()[0])
