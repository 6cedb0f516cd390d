"""Decides whether readings of an interval may still arrive, pure: by coverage, heartbeats and the time that was waited.

``oracle`` attests an interval when everything is in, or when nothing of what is missing is waited for any more.
"""

from dataclasses import dataclass

from hub.ingest.coverage import Coverage

MISSED_HEARTBEATS = 3
"""A gateway is offline when this many of its heartbeats are missing while the hub was there to hear them."""
MAX_WAITED_MS = 60 * 60_000
"""So long an interval is waited for, counting only the time in which frames were taken in."""
MAX_LATE_MS = 7 * 86_400_000
"""After this time the rest is estimated, whatever happened."""


@dataclass(frozen=True, slots=True)
class GatewayState:
    """What a gateway said last: when (ms since 1970), and up to when all its readings are stored (s since 1970).

    ``last_heartbeat_ms`` is None for a gateway that never sent one; ``complete_until_s`` is 0 where it does not say.
    """

    last_heartbeat_ms: int | None = None
    complete_until_s: int = 0


@dataclass(frozen=True, slots=True)
class Patience:
    """How long readings are waited for; times in ms since 1970 or in ms."""

    now_ms: int
    coverage: Coverage
    """Over which frames were taken in without a break until now."""
    waited_ms: int
    """For how long frames were taken in since the interval's end."""
    grace_ms: int
    heartbeat_ms: int

    def may_still_send(self, end_s: int, gateway: GatewayState) -> bool:
        """Whether a gateway may still send readings of an interval that ended at ``end_s`` (s since 1970)."""
        if gateway.complete_until_s >= end_s:
            return False
        if self.waited_ms >= MAX_WAITED_MS or self.now_ms >= end_s * 1000 + MAX_LATE_MS:
            return False
        if self.waited_ms < self.grace_ms:
            return True
        says_when_complete = gateway.complete_until_s > 0
        return says_when_complete and not self._is_offline(gateway)

    def _is_offline(self, gateway: GatewayState) -> bool:
        """Whether its heartbeats are missing for so long, all of it covered."""
        last_ms = max(gateway.last_heartbeat_ms or 0, self.coverage.since_ms)
        return self.coverage.seen_ms - last_ms > MISSED_HEARTBEATS * self.heartbeat_ms
