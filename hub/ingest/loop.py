"""Everything that takes frames in, as one coroutine for the worker process: connection, consumer, heartbeats."""

import secrets
from collections.abc import Callable

import structlog
from nacl.signing import SigningKey

from hub import keys
from hub.clock import Clock
from hub.devices.service import RECEIPT_KEY
from hub.ingest import bus
from hub.ingest.consumer import Consumer, Limits
from hub.ingest.coverage import CoverageRecorder
from hub.ingest.heartbeats import HeartbeatResponder
from hub.ingest.receipts import Receipts
from hub.postgres.db import Pool
from hub.settings import Settings

_log = structlog.get_logger(__name__)


async def run_ingest(
    settings: Settings,
    pool: Pool,
    clock: Clock,
    *,
    limits: Limits | None = None,
    ready: Callable[[], None] | None = None,
    holder: str | None = None,
) -> None:
    """Takes frames in until it is cancelled; ``ready`` is called when frames and heartbeats are being heard.

    ``holder`` names this copy, and no other that there ever was; without one it is drawn.

    Raises:
        ConfigError: the hub's NATS files are missing.
        RetryableError: NATS does not let us in; start again later.
    """
    client = await bus.connect(settings.nats_url, settings.nats_ca_file, settings.nats_creds_file)
    try:
        await bus.ensure_stream(client.jetstream())
        receipts = Receipts(client, receipt_key(settings), clock)
        await HeartbeatResponder(client, pool, receipts, clock).start()
        await bus.taken_in(client)
        if ready is not None:
            ready()
        _log.info("taking frames in", nats=settings.nats_url)
        coverage = CoverageRecorder(pool, holder or secrets.token_hex(8))
        await Consumer(pool, client, receipts, clock, coverage, limits).run()
    finally:
        await client.close()


def receipt_key(settings: Settings) -> SigningKey:
    """The key that signs receipts; gateways got its public half when they enrolled."""
    return SigningKey(bytes(keys.load_or_create(settings.keys_dir / RECEIPT_KEY))[:32])
