"""A process that dies by kill -9 just before one of its SQL statements."""

import os
import signal
from pathlib import Path

from hub.ledger.opening import Limits
from support.servers.ledger_site import Site


def pay_twice(path: Path, every: int, number: int) -> None:
    """Pays in two blocks, each with a snapshot when ``every`` is 1, and prints a line for each that was confirmed.

    When ``number`` is beyond the last statement, it ends well.
    """
    site = Site(path, Limits(snapshot_every=every))
    left = number

    def count(_: str) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    site.chain.repository._db.set_trace_callback(count)
    for _ in range(2):
        site.submit(site.payment())
        site.chain.commit()
        print("confirmed", flush=True)
