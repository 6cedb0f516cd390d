"""Serves an embedded ledger whose wall clock is ahead: `python -m support.servers.ledger_later STATE PORT AHEAD_S`."""

import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path

from hub.clock import SystemClock
from hub.ledger.serving import ServeOptions, serve
from hub.observability.logs import configure_logs


@dataclass
class LaterClock:
    """The machine's clock, so much further."""

    ahead_s: int

    def now_ms(self) -> int:
        return SystemClock().now_ms() + self.ahead_s * 1000


if __name__ == "__main__":
    configure_logs()
    state, port, ahead_s = sys.argv[1:]
    asyncio.run(serve(ServeOptions(Path(state), int(port), ws_port=0, faucet=True), wall=LaterClock(int(ahead_s))))
