"""The ledger's clock: the wall's, watched. The chain's time never runs back, so that one wrong moment would stay in it.

While it runs, the wall clock is held against one that nobody sets; at start, against the last block.
"""

import logging
import time
from collections.abc import Callable

from hub.clock import Clock, rfc3339_s
from hub.ledger.blocks import Header
from hub.ledger.errors import LedgerClockError

logger = logging.getLogger(__name__)

MAX_STEP_MS = 30_000
"""A clock that was not synchronised for a week is put right by at most so much (50 ppm)."""

MAX_BEHIND_MS = 30_000
MAX_AHEAD_MS = 30 * 86_400_000
"""A hub that was off for a month starts without a question; the chain's blocks are minutes apart while it runs."""

GAP_FLAG = "--clock-gap-days"
_DAY_MS = 86_400_000


def boottime_ms() -> int:
    """Milliseconds that nobody sets, a suspended machine's included."""
    return time.clock_gettime_ns(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)) // 1_000_000


class GuardedClock:
    """Tells the wall's time as long as it goes on like the other clock, and that one's when the wall's was set."""

    def __init__(self, wall: Clock, monotonic_ms: Callable[[], int]) -> None:
        self._wall = wall
        self._monotonic_ms = monotonic_ms
        self._offset_ms = wall.now_ms() - monotonic_ms()
        self._astray = False

    def now_ms(self) -> int:
        wall_ms, steady_ms = self._wall.now_ms(), self._monotonic_ms() + self._offset_ms
        if abs(wall_ms - steady_ms) <= MAX_STEP_MS:
            self._offset_ms += wall_ms - steady_ms
            self._note(astray=False, step_ms=0)
            return wall_ms
        self._note(astray=True, step_ms=wall_ms - steady_ms)
        return steady_ms

    def fault(self) -> str | None:
        """Why nothing may be dated now, or None."""
        self.now_ms()
        if not self._astray:
            return None
        return (
            "The machine's clock was set while the ledger ran, and no block is dated until it is clear which time is "
            "right: set the clock back, or when it is right now, restart the ledger"
        )

    def _note(self, *, astray: bool, step_ms: int) -> None:
        if astray and not self._astray:
            logger.critical("The machine's clock jumped by %+.1f s: no transaction is taken", step_ms / 1000)
        elif self._astray and not astray:
            logger.warning("The machine's clock is back where it belongs: transactions are taken again")
        self._astray = astray


def check_gap(head: Header, now_ms: int, accepted_days: int) -> None:
    """Compares the wall clock with the last block, at start; ``accepted_days`` is negative for a clock that is behind.

    Raises:
        LedgerClockError: it is behind the block, or so far ahead that rather the clock is wrong than the hub was off.
    """
    gap_ms, accepted_ms = now_ms - head.time_ms, accepted_days * _DAY_MS
    if min(-MAX_BEHIND_MS, accepted_ms) <= gap_ms <= max(MAX_AHEAD_MS, accepted_ms):
        return
    days = -(-abs(gap_ms) // _DAY_MS)
    if gap_ms < 0:
        where, flag, effect = "behind", -days, "the chain's time stands still until the clock has caught up"
    else:
        where, flag, effect = "after", days, "the chain's time does not go back afterwards"
    raise LedgerClockError(
        f"The clock says {rfc3339_s(now_ms // 1000)}, {_span(abs(gap_ms))} {where} the last block "
        f"({rfc3339_s(head.time_ms // 1000)}): set the clock, or when it is right, start once with "
        f"{GAP_FLAG} {flag}; {effect}"
    )


def _span(ms: int) -> str:
    for size_ms, unit in ((_DAY_MS, "days"), (3_600_000, "hours"), (60_000, "minutes")):
        if ms >= 2 * size_ms:
            return f"{ms / size_ms:.1f} {unit}"
    return f"{ms // 1000} seconds"
