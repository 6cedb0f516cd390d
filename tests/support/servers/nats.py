"""A NATS server as the hub runs it, with TLS, JWT rights and JetStream, and gateways that connect to it."""

import contextlib
import secrets
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import nats
import nkeys
from nats.aio.client import Client

from hub.clock import SystemClock
from hub.devices import nats_jwt
from hub.devices.nats_identity import GatewayIssuer, NatsIdentity, prepare
from hub.devices.pki import Authority, ServerCertificate
from hub.embedded.nats_server import run_nats
from hub.embedded.processes import free_port
from hub.ingest import bus
from support.waiting import PATIENCE_S


@dataclass(frozen=True)
class HubNats:
    """A running server and what one needs to connect to it."""

    url: str
    folder: Path
    identity: NatsIdentity
    certificate: ServerCertificate
    issuer: GatewayIssuer

    @property
    def ca_file(self) -> Path:
        return self.certificate.ca_file

    @contextlib.asynccontextmanager
    async def as_hub(self) -> AsyncIterator[Client]:
        """The hub's own connection."""
        client = await bus.connect(self.url, self.ca_file, self.identity.creds_file)
        try:
            yield client
        finally:
            await client.close()

    @contextlib.asynccontextmanager
    async def as_gateway(self, gateway_id: str) -> AsyncIterator["Gateway"]:
        """A gateway with a fresh NATS identity for this name."""
        user = nats_jwt.generate(nkeys.PREFIX_BYTE_USER, secrets.token_bytes(32))
        jwt = self.issuer.issue(gateway_id, nats_jwt.public(user), SystemClock().now_ms() // 1000)
        async with self.with_jwt(jwt, user, gateway_id) as gateway:
            yield gateway

    @contextlib.asynccontextmanager
    async def with_jwt(self, jwt: str, user: nkeys.KeyPair, gateway_id: str) -> AsyncIterator["Gateway"]:
        """A connection with any user JWT, as a gateway makes it."""
        errors: list[str] = []

        async def note(error: Exception) -> None:
            errors.append(str(error))

        creds = self.folder / f"{gateway_id}-{secrets.token_hex(4)}.creds"
        creds.write_text(nats_jwt.credentials(jwt, bytes(user.seed).decode()))
        client = await nats.connect(
            self.url,
            tls=ssl.create_default_context(cafile=self.ca_file),
            user_credentials=str(creds),
            inbox_prefix=f"_INBOX.{gateway_id}",
            error_cb=note,
            allow_reconnect=False,
        )
        try:
            yield Gateway(gateway_id, client, errors)
        finally:
            await client.close()


@dataclass(frozen=True)
class Gateway:
    """A gateway's connection; what the server refuses ends up in ``errors``."""

    gateway_id: str
    client: Client
    errors: list[str] = field(default_factory=list)

    async def publish_frame(self, frame: bytes, *, subject: str | None = None, message_id: str | None = None) -> bool:
        """Publishes through JetStream with acknowledgement; True when the server called it a duplicate."""
        headers = {} if message_id is None else {"Nats-Msg-Id": message_id}
        ack = await self.client.jetstream().publish(
            subject or f"pw.frame.{self.gateway_id}", frame, headers=headers, timeout=PATIENCE_S
        )
        return bool(ack.duplicate)


@contextlib.asynccontextmanager
async def run_hub_nats(folder: Path) -> AsyncIterator[HubNats]:
    """Runs a server with a fresh CA and identity; the stream of frames exists."""
    clock = SystemClock()
    identity = prepare(folder / "nats", clock)
    certificate = Authority.load_or_create(folder / "pki", clock).server_certificate("nats", ["127.0.0.1"], clock)
    port = free_port()
    config = identity.server_config(certificate, port=port, store_dir=folder / "jetstream", max_file="256MB")
    async with run_nats(folder / "server", config):
        issuer = GatewayIssuer.load(folder / "nats")
        running = HubNats(f"tls://127.0.0.1:{port}", folder, identity, certificate, issuer)
        async with running.as_hub() as hub:
            await bus.ensure_stream(hub.jetstream(), max_bytes=128 * 1024**2)
        yield running
