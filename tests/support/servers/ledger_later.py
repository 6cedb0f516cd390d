"""Serves an embedded ledger whose wall clock is ahead of the machine's."""

import asyncio
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


def serve_ahead(folder: Path, port: int, ahead_s: int) -> None:
    """Serves the ledger in ``folder`` until the process ends."""
    configure_logs()
    asyncio.run(serve(ServeOptions(folder, port, ws_port=0, faucet=True), wall=LaterClock(ahead_s)))
