"""Sends frames to a demo's hub with a gateway's own credentials, as a thief of its folder would."""

import asyncio
import base64
import contextlib
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import nats
from nats.aio.client import Client

from edge.keystore import load_nats_key
from edge.uplink.identity import Identity
from edge.wire.subjects import inbox_prefix
from support.servers.demo import DemoProcess


@dataclass
class Sender:
    """A NATS connection with a gateway's own credentials, as a thief of its folder would make it."""

    client: Client
    refusals: list[str] = field(default_factory=list)

    async def send(self, subject: str, payload: bytes) -> None:
        await self.client.jetstream().publish(subject, payload, timeout=3)


@contextlib.asynccontextmanager
async def sending_as(demo: DemoProcess, gateway_id: str) -> AsyncIterator[Sender]:
    folder = demo.state / gateway_id
    identity, key = Identity.load(folder, gateway_id), load_nats_key(folder / "keys")
    refusals: list[str] = []

    async def note(error: Exception) -> None:
        refusals.append(str(error))

    client = await nats.connect(
        demo.settings.nats_url,
        tls=ssl.create_default_context(cadata=identity.nats_ca_pem),
        user_jwt_cb=lambda: bytearray(identity.nats_jwt.encode()),
        signature_cb=lambda nonce: base64.b64encode(key.sign(nonce.encode())),
        inbox_prefix=inbox_prefix(gateway_id),
        error_cb=note,
        allow_reconnect=False,
    )
    try:
        yield Sender(client, refusals)
    finally:
        await client.close()


def publish(demo: DemoProcess, gateway_id: str, subject: str, payload: bytes) -> None:
    async def once() -> None:
        async with sending_as(demo, gateway_id) as sender:
            await sender.send(subject, payload)

    asyncio.run(once())
