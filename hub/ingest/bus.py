"""The hub's connection to NATS: its own credentials over TLS, for ever reconnecting, and the stream of frames."""

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
# Frames leave the stream when they are stored; what is still in it after this long is in nobody's way
MAX_AGE_S = 30 * 86400


async def connect(url: str, ca_file: Path | None, creds_file: Path | None, *, name: str = "peerwatt-hub") -> Client:
    """Connects with the hub's credentials and keeps reconnecting for as long as the process lives.

    Raises:
        ConfigError: the CA or the credentials can not be read.
        RetryableError: the server does not answer, or refuses the credentials.
    """
    for file, setting in ((ca_file, "NATS_CA_FILE"), (creds_file, "NATS_CREDS_FILE")):
        if file is None or not file.is_file():
            what = f"There is no file {file}" if file else "The hub's way into NATS is not set"
            raise ConfigError(f"{what}: set PEERWATT_HUB_{setting}")
    client, outage = Client(), Outage("nats")

    async def say(error: Exception) -> None:
        outage.begins(error)

    async def say_back() -> None:
        outage.ends()

    try:
        # a client that reconnects for ever also tries its first connection for ever
        async with asyncio.timeout(FIRST_CONNECT_S):
            await client.connect(
                url,
                name=name,
                tls=ssl.create_default_context(cafile=ca_file),
                user_credentials=str(creds_file),
                inbox_prefix=HUB_INBOX,
                error_cb=say,
                reconnected_cb=say_back,
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


async def taken_in(client: Client) -> None:
    """Waits until the server has done all that was sent before: subscriptions above all.

    One ``flush`` does not: nats-py sends its PING past the commands that still wait in its buffer, and about one
    subscription in a hundred is then later than the PONG. The second PING is sent behind them.

    Raises:
        NatsError: the server does not answer.
    """
    await client.flush()
    await client.flush()


async def ensure_stream(js: JetStreamContext, *, max_bytes: int = DEFAULT_STREAM_BYTES) -> None:
    """Makes the stream of frames unless it is there; an operator may have given it another size.

    A full stream refuses new frames, which then wait at the gateways; it never drops what it has acknowledged.

    Raises:
        RetryableError: JetStream can not make it.
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
