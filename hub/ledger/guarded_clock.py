"""The ledger's clock. The chain's time never runs back, so one wrong time would stay in it for ever.

While the ledger runs, the wall clock is compared with a monotonic clock; at start, with the last block.
"""

import time
from collections.abc import Callable

import structlog

from hub.clock import Clock, rfc3339_s
from hub.ledger.blocks import Header
from hub.ledger.errors import LedgerClockError

log = structlog.get_logger()

MAX_STEP_MS = 30_000
"""How far a clock is corrected at most after a week without synchronisation (50 ppm)."""

MAX_BEHIND_MS = 30_000
MAX_AHEAD_MS = 30 * 86_400_000
"""A hub that was off for a month starts without a flag; while it runs, blocks are minutes apart."""

GAP_FLAG = "--clock-gap-days"
_DAY_MS = 86_400_000


def boottime_ms() -> int:
    """Returns milliseconds of a clock that can not be set; it goes on while the machine is suspended."""
    return time.clock_gettime_ns(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)) // 1_000_000


class GuardedClock:
    """Gives the wall clock's time while it agrees with the monotonic clock, and the monotonic clock's after a jump."""

    def __init__(self, wall: Clock, monotonic_ms: Callable[[], int]) -> None:
        self._wall = wall
        self._monotonic_ms = monotonic_ms
        self._offset_ms = wall.now_ms() - monotonic_ms()
        self._jumped = False

    def now_ms(self) -> int:
        wall_ms, expected_ms = self._wall.now_ms(), self._monotonic_ms() + self._offset_ms
        if abs(wall_ms - expected_ms) <= MAX_STEP_MS:
            self._offset_ms += wall_ms - expected_ms
            self._note(jumped=False, step_ms=0)
            return wall_ms
        self._note(jumped=True, step_ms=wall_ms - expected_ms)
        return expected_ms

    def fault(self) -> str | None:
        """Returns why no block may be dated now, or None."""
        self.now_ms()
        if not self._jumped:
            return None
        return (
            "The machine's clock was set while the ledger ran, and no block is dated until it is clear which time is "
            "right: set the clock back, or when it is right now, restart the ledger"
        )

    def _note(self, *, jumped: bool, step_ms: int) -> None:
        if jumped and not self._jumped:
            log.critical("The machine's clock jumped: no transaction is taken", step_ms=step_ms)
        elif self._jumped and not jumped:
            log.warning("The machine's clock is right again: transactions are taken again")
        self._jumped = jumped


def check_gap(head: Header, now_ms: int, accepted_days: int) -> None:
    """Compares the wall clock with the last block, at start; ``accepted_days`` is negative for a clock that is behind.

    Raises:
        LedgerClockError: the clock is behind the block, or further ahead than a hub is plausibly off.
    """
    gap_ms, accepted_ms = now_ms - head.time_ms, accepted_days * _DAY_MS
    if min(-MAX_BEHIND_MS, accepted_ms) <= gap_ms <= max(MAX_AHEAD_MS, accepted_ms):
        return
    days = -(-abs(gap_ms) // _DAY_MS)
    if gap_ms < 0:
        direction, flag_days, effect = "behind", -days, "the chain's time stands still until the clock has caught up"
    else:
        direction, flag_days, effect = "after", days, "the chain's time does not go back afterwards"
    raise LedgerClockError(
        f"The clock says {rfc3339_s(now_ms // 1000)}, {_duration_text(abs(gap_ms))} {direction} the last block "
        f"({rfc3339_s(head.time_ms // 1000)}): set the clock, or when it is right, start once with "
        f"{GAP_FLAG} {flag_days}; {effect}"
    )


def _duration_text(ms: int) -> str:
    for size_ms, unit in ((_DAY_MS, "days"), (3_600_000, "hours"), (60_000, "minutes")):
        if ms >= 2 * size_ms:
            return f"{ms / size_ms:.1f} {unit}"
    return f"{ms // 1000} seconds"
