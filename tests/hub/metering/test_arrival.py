"""How long readings of an interval are waited for: by heartbeats, coverage and the time that was waited."""

from dataclasses import replace

import pytest

from hub.ingest.coverage import Coverage
from hub.metering.arrival import GatewayState, Patience

END_S = 1_780_308_900
END_MS, MINUTE_MS = END_S * 1000, 60_000
NOW_MS = END_MS + 5 * MINUTE_MS
PATIENCE = Patience(
    NOW_MS, Coverage(0, NOW_MS), waited_ms=5 * MINUTE_MS, grace_ms=2 * MINUTE_MS, heartbeat_ms=MINUTE_MS
)
SENDING = GatewayState(NOW_MS - MINUTE_MS, END_S - 900)
"""Heard a minute ago, with frames of the interval still to send."""


@pytest.mark.parametrize(
    ("gateway", "changes", "may_send"),
    [
        (SENDING, {}, True),
        (replace(SENDING, complete_until_s=END_S - 1), {}, True),
        (replace(SENDING, complete_until_s=END_S), {}, False),
        (replace(SENDING, complete_until_s=END_S), {"waited_ms": 0}, False),
        # offline: three heartbeats are missing
        (replace(SENDING, last_heartbeat_ms=NOW_MS - 3 * MINUTE_MS), {}, True),
        (replace(SENDING, last_heartbeat_ms=NOW_MS - 3 * MINUTE_MS - 1), {}, False),
        (replace(SENDING, last_heartbeat_ms=NOW_MS - 9 * MINUTE_MS), {"heartbeat_ms": 3 * MINUTE_MS}, True),
        (replace(SENDING, last_heartbeat_ms=0), {"waited_ms": 2 * MINUTE_MS - 1}, True),
        (replace(SENDING, last_heartbeat_ms=0), {"waited_ms": 2 * MINUTE_MS}, False),
        # a hub that was away has not seen that they are missing
        (replace(SENDING, last_heartbeat_ms=0), {"coverage": Coverage(NOW_MS - 3 * MINUTE_MS, NOW_MS)}, True),
        (replace(SENDING, last_heartbeat_ms=0), {"coverage": Coverage(NOW_MS - 3 * MINUTE_MS - 1, NOW_MS)}, False),
        (replace(SENDING, last_heartbeat_ms=END_MS), {"coverage": Coverage(0, END_MS + 3 * MINUTE_MS)}, True),
        # an hour of waiting, or seven days of any kind
        (SENDING, {"waited_ms": 60 * MINUTE_MS - 1}, True),
        (SENDING, {"waited_ms": 60 * MINUTE_MS}, False),
        (SENDING, {"now_ms": END_MS + 7 * 24 * 60 * MINUTE_MS - 1}, True),
        (SENDING, {"now_ms": END_MS + 7 * 24 * 60 * MINUTE_MS}, False),
        # an agent that does not say when it is complete, or was never heard, gets the grace
        (GatewayState(NOW_MS), {}, False),
        (GatewayState(NOW_MS), {"waited_ms": 2 * MINUTE_MS - 1}, True),
        (GatewayState(), {}, False),
        (GatewayState(), {"waited_ms": 2 * MINUTE_MS - 1}, True),
    ],
)
def test_a_gateway_may_still_send(gateway: GatewayState, changes: dict[str, object], may_send: bool) -> None:
    assert replace(PATIENCE, **changes).may_still_send(END_S, gateway) is may_send  # type: ignore[arg-type]
