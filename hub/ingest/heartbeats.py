"""Keeps each gateway's heartbeat for the fleet view and answers it with a receipt for whatever it still waits for."""

from typing import Any

import asyncpg
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg

from edge.wire.errors import WireError
from edge.wire.heartbeats import Heartbeat, decode_heartbeat
from edge.wire.subjects import heartbeat_subject
from hub.clock import Clock
from hub.ingest import repository
from hub.ingest.receipts import Receipts
from hub.observability import metrics
from hub.postgres.db import Pool

HEARTBEAT_SUBJECTS = "pw.beat.*"
QUEUE_GROUP = "ingest"
PENDING_HEARTBEATS = 4096
ASKED_RANGES = 1000
ANSWERED_FRAMES = 20_000
"""Looked at for one heartbeat; what is left over is asked again with the next."""
SHOWN = (
    "sent_at_ms", "version", "last_sequence", "outbox_frames", "outbox_age_s", "time_quality", "clock_error_ms",
    "meters", "disk_free_bytes", "memory_queue",
)  # fmt: skip

_log = structlog.get_logger(__name__)


class HeartbeatResponder:
    """Answers heartbeats for as long as the connection lives; copies of the hub share them."""

    def __init__(self, client: Client, pool: Pool, receipts: Receipts, clock: Clock) -> None:
        self._client = client
        self._pool = pool
        self._receipts = receipts
        self._clock = clock

    async def start(self) -> None:
        """Begins to listen."""
        await self._client.subscribe(
            HEARTBEAT_SUBJECTS, queue=QUEUE_GROUP, cb=self._hear, pending_msgs_limit=PENDING_HEARTBEATS
        )

    async def _hear(self, message: Msg) -> None:
        try:
            kept = await self._answer(message.subject, decode_heartbeat(message.data))
        except WireError as error:
            _log.warning("heartbeat refused", subject=message.subject, code=error.code, detail=str(error))
            kept = False
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            # the next one comes in a minute
            _log.warning("heartbeat not kept", subject=message.subject, error=str(error))
            kept = False
        metrics.HEARTBEATS.labels("kept" if kept else "refused").inc()

    async def _answer(self, subject: str, heartbeat: Heartbeat) -> bool:
        gateway_id = heartbeat.gateway_id
        if subject != heartbeat_subject(gateway_id):
            _log.warning("heartbeat of another gateway", subject=subject, gateway_id=gateway_id)
            return False
        asked = [
            (boot_id, first, last) for boot_id, stretches in heartbeat.waiting.items() for first, last in stretches
        ][:ASKED_RANGES]
        async with self._pool.acquire() as connection:
            if not await repository.save_heartbeat(connection, gateway_id, self._clock.now_ms(), shown(heartbeat)):
                _log.warning("heartbeat of an unknown gateway", gateway_id=gateway_id)
                return False
            stored = await repository.stored_ranges(connection, gateway_id, asked, ANSWERED_FRAMES)
            lost = await repository.lost_ranges(connection, gateway_id, asked)
            last = await repository.last_header_hash(connection, gateway_id, heartbeat.boot_id)
        await self._receipts.after_heartbeat(gateway_id, stored, lost, last)
        return True


def shown(heartbeat: Heartbeat) -> dict[str, Any]:
    """The heartbeat as the fleet view reads it."""
    fields = {name: getattr(heartbeat, name) for name in SHOWN}
    waiting = {boot_id.hex(): [list(pair) for pair in ranges] for boot_id, ranges in heartbeat.waiting.items()}
    return {
        **fields,
        "boot_id": heartbeat.boot_id.hex(),
        "meters_lost": list(heartbeat.meters_lost),
        "waiting": waiting,
    }
