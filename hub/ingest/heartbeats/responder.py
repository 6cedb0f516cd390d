"""Stores each gateway's heartbeat for the fleet view, and answers with a receipt for frames that wait there."""

from typing import Any

import asyncpg
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg

from edge.wire.errors import WireError
from edge.wire.heartbeats import Heartbeat, decode_heartbeat
from edge.wire.subjects import heartbeat_subject
from hub.clock import Clock
from hub.ingest.heartbeats import repository
from hub.ingest.receipts import ReceiptSender
from hub.observability import metrics
from hub.postgres.db import Pool

HEARTBEAT_SUBJECTS = "pw.beat.*"
QUEUE_GROUP = "ingest"
PENDING_HEARTBEATS = 4096
MAX_RANGES = 1000
"""Waiting ranges of a heartbeat that are looked up; the rest comes again with the next heartbeat."""
MAX_FRAMES = 20_000
"""Stored frames that one answer names."""
SHOWN_FIELDS = (
    "sent_at_ms", "version", "last_sequence", "outbox_frames", "outbox_age_s", "time_quality", "clock_error_ms",
    "meters", "disk_free_bytes", "memory_queue", "complete_until_s",
)  # fmt: skip

log = structlog.get_logger()


class HeartbeatResponder:
    """Answers heartbeats for as long as the connection lives; copies of the worker share them."""

    def __init__(self, client: Client, pool: Pool, receipts: ReceiptSender, clock: Clock) -> None:
        self._client = client
        self._pool = pool
        self._receipts = receipts
        self._clock = clock

    async def start(self) -> None:
        """Subscribes to heartbeats."""
        await self._client.subscribe(
            HEARTBEAT_SUBJECTS, queue=QUEUE_GROUP, cb=self._receive, pending_msgs_limit=PENDING_HEARTBEATS
        )

    async def _receive(self, message: Msg) -> None:
        try:
            kept = await self._answer(message.subject, decode_heartbeat(message.data))
        except WireError as error:
            log.warning("heartbeat refused", subject=message.subject, code=error.code, detail=str(error))
            kept = False
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            # the next heartbeat comes in a minute
            log.warning("heartbeat not kept", subject=message.subject, error=str(error))
            kept = False
        metrics.HEARTBEATS.labels("kept" if kept else "refused").inc()

    async def _answer(self, subject: str, heartbeat: Heartbeat) -> bool:
        gateway_id = heartbeat.gateway_id
        if subject != heartbeat_subject(gateway_id):
            log.warning("heartbeat of another gateway", subject=subject, gateway_id=gateway_id)
            return False
        waiting = [(boot_id, first, last) for boot_id, ranges in heartbeat.waiting.items() for first, last in ranges]
        del waiting[MAX_RANGES:]
        async with self._pool.acquire() as connection:
            if not await repository.save_heartbeat(connection, gateway_id, self._clock.now_ms(), shown(heartbeat)):
                log.warning("heartbeat of an unknown gateway", gateway_id=gateway_id)
                return False
            stored = await repository.stored_ranges(connection, gateway_id, waiting, MAX_FRAMES)
            lost = await repository.lost_ranges(connection, gateway_id, waiting)
            last_hash = await repository.last_header_hash(connection, gateway_id, heartbeat.boot_id)
        await self._receipts.after_heartbeat(gateway_id, stored, lost, last_hash)
        return True


def shown(heartbeat: Heartbeat) -> dict[str, Any]:
    """Returns the heartbeat as the fleet view shows it."""
    fields = {name: getattr(heartbeat, name) for name in SHOWN_FIELDS}
    waiting = {boot_id.hex(): [list(pair) for pair in ranges] for boot_id, ranges in heartbeat.waiting.items()}
    return {
        **fields,
        "boot_id": heartbeat.boot_id.hex(),
        "meters_lost": list(heartbeat.meters_lost),
        "troubles": dict(heartbeat.troubles),
        "waiting": waiting,
    }
