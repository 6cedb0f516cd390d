"""The one door to sqlite-utils: imported without pandas and numpy, opened without plugins.

The migrations beside this and the commands that read a ledger (``edge.offline.ledger_reader``) come through here.
"""

import contextlib
import sqlite3
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def _absent(*names: str) -> Iterator[None]:
    """Lets modules that nobody imported yet look as if they were not installed."""
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

__all__ = ["Database", "Migrations", "tools_on"]


def tools_on(connection: sqlite3.Connection) -> Database:
    """sqlite-utils on an open connection; it changes none of the connection's settings and runs nobody's plugins."""
    return Database(connection, recursive_triggers=False, execute_plugins=False)
