"""Connects to the hub's NATS with the gateway's JWT and nkey, over TLS with the pinned CA, without reconnecting."""

import asyncio
import base64
import contextlib
import logging
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import nats
import nkeys
from nats.aio.client import Client

from edge.errors import HubUnreachableError
from edge.uplink.identity import Identity
from edge.wire.subjects import inbox_prefix

CONNECT_S = 5
PENDING_BYTES = 256 * 1024

log = logging.getLogger(__name__)


@dataclass
class NatsLink:
    """How to connect. nats-py's own reconnecting is off: its pause is fixed, without jitter, and it gives up."""

    identity: Identity
    key: nkeys.KeyPair
    nats_url: str | None = None
    """Of the settings; it goes before the identity's, because a hub may move."""
    _disconnected: asyncio.Event = field(default_factory=asyncio.Event)
    _reason: str = ""
    """The last error that the connection told of."""

    @property
    def url(self) -> str:
        """The URL of the hub's NATS."""
        return self.nats_url or self.identity.nats_url

    @contextlib.asynccontextmanager
    async def connected(self) -> AsyncIterator[Client]:
        """Gives a new connection, and closes it at the end.

        Raises:
            HubUnreachableError: it can not be made; the text says why.
        """
        self._disconnected.clear()
        self._reason = ""
        client = Client()
        try:
            async with asyncio.timeout(2 * CONNECT_S):
                await client.connect(
                    self.url,
                    name=f"peerwatt-edge {self.identity.gateway_id}",
                    tls=ssl.create_default_context(cadata=self.identity.nats_ca_pem),
                    user_jwt_cb=lambda: bytearray(self.identity.nats_jwt.encode()),
                    signature_cb=lambda nonce: base64.b64encode(self.key.sign(nonce.encode())),
                    inbox_prefix=inbox_prefix(self.identity.gateway_id),
                    allow_reconnect=False,
                    connect_timeout=CONNECT_S,
                    ping_interval=15,
                    max_outstanding_pings=2,
                    pending_size=PENDING_BYTES,
                    error_cb=self._on_error,
                    disconnected_cb=self._on_end,
                    closed_cb=self._on_end,
                )
        except (nats.errors.Error, OSError, TimeoutError) as error:
            raise HubUnreachableError(f"{self.url}: {self._reason or str(error) or type(error).__name__}") from error
        try:
            yield client
        finally:
            with contextlib.suppress(nats.errors.Error, OSError, TimeoutError):
                async with asyncio.timeout(2):
                    await client.close()

    async def watch(self) -> None:
        """Waits until the connection is lost.

        Raises:
            HubUnreachableError: it is lost; it never returns otherwise.
        """
        await self._disconnected.wait()
        raise HubUnreachableError(self._reason or "the connection was closed")

    async def _on_error(self, error: Exception) -> None:
        self._reason = str(error) or type(error).__name__
        if "permissions violation" in self._reason.lower():
            log.error("the hub's NATS refuses this: enrol again, or ask its operator", extra={"reason": self._reason})

    async def _on_end(self) -> None:
        self._disconnected.set()
