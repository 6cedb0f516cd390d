"""A process that dies by kill -9 just before its Nth SQL statement: `python ledger_crash.py FILE EVERY N`.

It pays twice, in two blocks, each with a snapshot when EVERY is 1; when N is beyond its last statement it ends well.
"""

import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from hub.ledger.opening import Limits
from support.servers.ledger_site import Site


def main(path: Path, every: int, number: int) -> None:
    """Prints a line for each block that was confirmed."""
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


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
