"""The hub's connection to NATS, over TLS with the hub's own credentials, and the JetStream stream of frames."""

import asyncio
import ssl
from pathlib import Path

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import NotFoundError

from hub.devices.nats_jwt import GATEWAY_PAYLOAD_BYTES, HUB_INBOX
from hub.errors import ConfigError, RetryableError
from hub.observability.outage import Outage

STREAM = "PW_FRAMES"
FRAME_SUBJECTS = "pw.frame.*"
FIRST_CONNECT_S = 5
DEFAULT_STREAM_BYTES = 1024**3
DUPLICATE_WINDOW_S = 120
MAX_AGE_S = 30 * 86400
"""Frames leave the stream when they are stored; one that was never stored is deleted at this age."""


async def connect(url: str, ca_file: Path | None, creds_file: Path | None, *, name: str = "peerwatt-hub") -> Client:
    """Connects with the hub's credentials; the client reconnects by itself for as long as the process lives.

    ``name`` is what NATS shows for this connection.

    Raises:
        ConfigError: a setting names no file for the CA or the credentials.
        RetryableError: the server does not answer within ``FIRST_CONNECT_S``, or refuses the credentials.
    """
    for file, setting in ((ca_file, "NATS_CA_FILE"), (creds_file, "NATS_CREDS_FILE")):
        if file is None or not file.is_file():
            reason = f"There is no file {file}" if file else "The hub's credentials for NATS are not set"
            raise ConfigError(f"{reason}: set PEERWATT_HUB_{setting}")
    client, outage = Client(), Outage("nats")

    async def on_error(error: Exception) -> None:
        outage.begins(error)

    async def on_reconnected() -> None:
        outage.ends()

    try:
        # with max_reconnect_attempts=-1 nats-py also tries the first connection for ever
        async with asyncio.timeout(FIRST_CONNECT_S):
            await client.connect(
                url,
                name=name,
                tls=ssl.create_default_context(cafile=ca_file),
                user_credentials=str(creds_file),
                inbox_prefix=HUB_INBOX,
                error_cb=on_error,
                reconnected_cb=on_reconnected,
                max_reconnect_attempts=-1,
                reconnect_time_wait=1,
                connect_timeout=FIRST_CONNECT_S,
                pending_size=1024 * 1024,
            )
    except (OSError, NatsError) as error:
        await client.close()
        raise RetryableError(
            f"NATS at {url} does not let us in ({str(error) or type(error).__name__}): "
            "check PEERWATT_HUB_NATS_URL and that the server runs with this hub's identity"
        ) from error
    return client


async def flush_commands(client: Client) -> None:
    """Waits until the server has processed every command that was sent before, such as a subscription.

    One ``flush`` is not enough: nats-py sends its PING ahead of commands that are still in its buffer, so that about
    one subscription in a hundred takes effect after the PONG. The second PING is sent after them.

    Raises:
        NatsError: the server does not answer.
    """
    await client.flush()
    await client.flush()


async def ensure_stream(js: JetStreamContext, *, max_bytes: int = DEFAULT_STREAM_BYTES) -> None:
    """Creates the stream of frames unless it exists; an operator may have given an existing one another size.

    A full stream refuses new frames, which then wait at the gateways; it never drops a frame that it acknowledged.

    Raises:
        RetryableError: JetStream can not create it.
    """
    config = StreamConfig(
        name=STREAM,
        subjects=[FRAME_SUBJECTS],
        retention=RetentionPolicy.WORK_QUEUE,
        storage=StorageType.FILE,
        discard=DiscardPolicy.NEW,
        max_age=MAX_AGE_S,
        max_bytes=max_bytes,
        max_msg_size=GATEWAY_PAYLOAD_BYTES,
        duplicate_window=DUPLICATE_WINDOW_S,
    )
    try:
        try:
            await js.stream_info(STREAM)
        except NotFoundError:
            await js.add_stream(config)
    except NatsError as error:
        raise RetryableError(
            f"JetStream has no stream {STREAM} for frames ({error}): give it room for {max_bytes >> 20} MiB"
        ) from error
