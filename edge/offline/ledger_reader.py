"""The ledger as the command line reads it: read-only, beside a running agent or without one."""

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


class LedgerReader:
    """Queries on one ledger."""

    def __init__(self, db: Database) -> None:
        self._frames = db.table("frame")
        self._records = db.table("record")

    def frames(self) -> Iterator[Frame]:
        """Every frame in the order of sealing.

        A page at a time: one long query would keep the agent's write-ahead log from being folded back meanwhile.
        """
        after = 0
        while page := list(self._frames.rows_where("id > ?", [after], order_by="id", limit=PAGE)):
            yield from (Frame(row["header"], row["signature"], row["body"]) for row in page)
            after = page[-1]["id"]

    def count_waiting(self) -> int:
        """Frames without a receipt."""
        return self._frames.count_where("stored_at_ms IS NULL")

    def count_unsealed(self) -> int:
        """Records that wait for their frame."""
        return self._records.count


@contextlib.contextmanager
def open_ledger(state_dir: Path) -> Iterator[LedgerReader]:
    """The ledger of a gateway, to be read only.

    Raises:
        ConfigError: there is none.
        KeyFileError: the state folder is closed to this user.
        VerificationError: what is there can not be read, or is no ledger.
    """
    path = state_dir / LEDGER_FILE
    if not is_there(path):
        raise ConfigError(f"There is no ledger {path}: has the agent run yet? Check state_dir")
    try:
        with contextlib.closing(
            sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5)
        ) as connection:
            db = database_on(connection)
            # A table that is missing has no rows for sqlite-utils; no ledger must not pass for an empty one
            if not {"frame", "record"} <= set(db.table_names()):
                raise VerificationError(f"{path} is no ledger: its tables are missing. Check state_dir")
            yield LedgerReader(db)
    except sqlite3.Error as error:
        raise VerificationError(
            f"The ledger {path} is damaged ({error}): the agent will put it aside at its next start"
        ) from error
