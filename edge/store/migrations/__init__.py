"""The ledger's schema in numbered steps; sqlite-utils notes in the file which of them it has.

A new step is a function below the last one. It gets a sqlite-utils ``Database``, whose ``transform()`` does what a
plain ``ALTER TABLE`` can not; whole tables are written as SQL beside it.
"""

import sqlite3
from importlib.resources import files

from edge.store.sqlite_tools import Database, Migrations, tools_on

APPLICATION_ID = 0x50575431

ledger_schema = Migrations("peerwatt_ledger")


def migrate(connection: sqlite3.Connection) -> None:
    """Brings a ledger to this version: every missing step and its note in one commit; no write when none is missing."""
    db = tools_on(connection)
    with db.atomic():
        ledger_schema.apply(db)
        if _pragma(db, "application_id") != APPLICATION_ID:
            db.execute(f"PRAGMA application_id = {APPLICATION_ID}")


@ledger_schema(name="0001_initial")
def _initial(db: Database) -> None:
    # The first agents counted in user_version: a ledger of theirs has these tables, and set here it lets them open ours
    if _pragma(db, "user_version") == 0:
        db.executescript(_script("0001_initial.sql"))
        db.execute("PRAGMA user_version = 1")


def _script(name: str) -> str:
    return (files(__name__) / name).read_text()


def _pragma(db: Database, name: str) -> int:
    return int(db.execute(f"PRAGMA {name}").fetchone()[0])
