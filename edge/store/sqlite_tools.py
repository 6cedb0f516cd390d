"""Imports sqlite-utils without pandas and numpy, and opens its ``Database`` without plugins.

The migrations beside this and the commands that read a ledger (``edge.offline.ledger_reader``) take it from here.
"""

import contextlib
import sqlite3
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def _absent(*names: str) -> Iterator[None]:
    """Makes modules that are not imported yet look as if they were not installed."""
    hidden: dict[str, None] = {name: None for name in names if name not in sys.modules}
    # None is what Python itself takes for "there is no such module"
    sys.modules.update(hidden)  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


# sqlite-utils imports pandas and numpy where it finds them, to know their types of columns: 43 MiB in an agent that
# may have 80. A gateway has neither; a machine that also runs the simulator has both.
with _absent("pandas", "numpy"):
    from sqlite_utils import Database, Migrations

__all__ = ["Database", "Migrations", "database_on"]


def database_on(connection: sqlite3.Connection) -> Database:
    """Opens sqlite-utils on a connection; it changes none of the connection's settings and runs no plugins."""
    return Database(connection, recursive_triggers=False, execute_plugins=False)
