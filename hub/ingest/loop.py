"""The ingest of one worker process as one coroutine: the connection, the consumer of frames and the heartbeats."""

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
from hub.ingest.heartbeats.responder import HeartbeatResponder
from hub.ingest.receipts import ReceiptSender
from hub.postgres.db import Pool
from hub.settings import Settings

log = structlog.get_logger()


async def run_ingest(
    settings: Settings,
    pool: Pool,
    clock: Clock,
    *,
    limits: Limits | None = None,
    ready: Callable[[], None] | None = None,
    holder: str | None = None,
) -> None:
    """Takes frames in until it is cancelled; calls ``ready`` once it is subscribed to frames and heartbeats.

    ``holder`` is a name that no other copy of the worker ever had; by default a random one.

    Raises:
        ConfigError: the hub's NATS files are missing.
        RetryableError: NATS does not answer or refuses the credentials; start again later.
    """
    client = await bus.connect(settings.nats_url, settings.nats_ca_file, settings.nats_creds_file)
    try:
        await bus.ensure_stream(client.jetstream())
        receipts = ReceiptSender(client, receipt_key(settings), clock)
        await HeartbeatResponder(client, pool, receipts, clock).start()
        await bus.flush_commands(client)
        if ready is not None:
            ready()
        log.info("taking frames in", nats=settings.nats_url)
        coverage = CoverageRecorder(pool, holder or secrets.token_hex(8))
        await Consumer(pool, client, receipts, clock, coverage, limits).run()
    finally:
        await client.close()


def receipt_key(settings: Settings) -> SigningKey:
    """Returns the key that signs receipts, making it at the first start; gateways get its public key at enrolment."""
    return SigningKey(bytes(keys.load_or_create(settings.keys_dir / RECEIPT_KEY))[:32])
