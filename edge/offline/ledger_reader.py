"""Reads the ledger for the command line, beside a running agent or without one."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from edge.errors import ConfigError, VerificationError
from edge.runtime.private_files import is_there
from edge.store.ledger import LEDGER_FILE
from edge.store.sqlite_tools import Database, database_on
from edge.wire.frames import Frame

PAGE = 256
"""In frames."""


class LedgerReader:
    """Reads frames and counts of one ledger."""

    def __init__(self, db: Database) -> None:
        self._frames = db.table("frame")
        self._records = db.table("record")

    def frames(self) -> Iterator[Frame]:
        """Gives every frame in the order of sealing.

        A page at a time: during one long query the running agent could not check-point its write-ahead log.

        Raises:
            sqlite3.Error: the file is damaged; ``open_ledger`` makes a VerificationError of it.
        """
        after_id = 0
        while page := list(self._frames.rows_where("id > ?", [after_id], order_by="id", limit=PAGE)):
            yield from (Frame(row["header"], row["signature"], row["body"]) for row in page)
            after_id = page[-1]["id"]

    def count_waiting(self) -> int:
        """Returns how many frames have no receipt."""
        return self._frames.count_where("stored_at_ms IS NULL")

    def count_unsealed(self) -> int:
        """Returns how many records wait for their frame."""
        return self._records.count


@contextlib.contextmanager
def open_ledger(state_dir: Path) -> Iterator[LedgerReader]:
    """Opens the ledger in a state folder, read-only.

    Raises:
        ConfigError: there is none.
        KeyFileError: the state folder is closed to this user.
        VerificationError: the file is damaged, now or while it is read, or is no ledger.
    """
    path = state_dir / LEDGER_FILE
    if not is_there(path):
        raise ConfigError(f"There is no ledger {path}: has the agent run yet? Check state_dir")
    try:
        with contextlib.closing(
            sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5)
        ) as connection:
            db = database_on(connection)
            # For sqlite-utils a missing table has no rows: another database must not pass for an empty ledger
            if not {"frame", "record"} <= set(db.table_names()):
                raise VerificationError(f"{path} is no ledger: its tables are missing. Check state_dir")
            yield LedgerReader(db)
    except sqlite3.Error as error:
        raise VerificationError(
            f"The ledger {path} is damaged ({error}): the agent will put it aside at its next start"
        ) from error
