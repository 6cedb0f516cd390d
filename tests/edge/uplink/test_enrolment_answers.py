"""What the agent makes of a hub's answer to an enrolment, whatever it is; and what it asked for."""

import asyncio
import contextlib
import json
import ssl
from dataclasses import asdict
from typing import Any

import pytest
from nacl.signing import SigningKey

from edge.errors import ConfigError, EdgeError, HubUnreachableError, RefusedError
from edge.uplink.enrolment import EnrolmentAnswer, enrol, proof_message
from edge.wire import keys
from support.servers.nats import HubNats

KEY = SigningKey(bytes(range(32)))
IDENTITY = {
    "nats_url": "tls://hub:4222", "nats_jwt": "jwt", "nats_ca_pem": "pem",
    "receipt_public_key": bytes(KEY.verify_key).hex(),
}  # fmt: skip
ACTIVE = {"status": "active", "key_id": "77", **IDENTITY}


class AnsweringHub:
    """A listener with the hub's certificate that gives one answer."""

    def __init__(self, hub: HubNats, status: int, body: bytes) -> None:
        self._hub, self._status, self._body = hub, status, body
        self.request: dict[str, Any] = {}

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer), contextlib.suppress(OSError):
            await self._answer(reader, writer)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.split("content-length:")[1].split("\r\n")[0])
        self.request = json.loads(await reader.readexactly(length))
        lines = f"HTTP/1.1 {self._status} X\r\nContent-Length: {len(self._body)}\r\nConnection: close\r\n\r\n"
        writer.write(lines.encode() + self._body)
        await writer.drain()

    async def enrol(self, token: str = "a-token") -> EnrolmentAnswer:  # noqa: S107 - no secret
        certificate = self._hub.certificate
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate.cert_file, certificate.key_file)
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=context)
        async with server:
            url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            return await asyncio.to_thread(enrol, url, certificate.ca_file, "gw-north", token, KEY, "UNKEY")


async def test_the_request_proves_the_key_and_the_answer_is_the_identity(hub_nats: HubNats) -> None:
    hub = AnsweringHub(hub_nats, 200, json.dumps(ACTIVE).encode())
    answer = await hub.enrol()
    assert answer.key_id == "77" and answer.identity is not None
    assert asdict(answer.identity) == {"gateway_id": "gw-north", "key_id": "77", **IDENTITY}
    proof = bytes.fromhex(hub.request.pop("proof"))
    assert hub.request == {
        "gateway_id": "gw-north", "token": "a-token", "public_key": bytes(KEY.verify_key).hex(),
        "nats_public_key": "UNKEY",
    }  # fmt: skip
    keys.verify(bytes(KEY.verify_key), b"peerwatt/enrol/1\x08gw-north\x07a-token\x05UNKEY", proof)
    assert proof_message("a", "b" * 255, "") == b"peerwatt/enrol/1\x01a\xff" + b"b" * 255 + b"\0"


async def test_a_key_that_is_not_accepted_yet(hub_nats: HubNats) -> None:
    hub = AnsweringHub(hub_nats, 200, b'{"status": "waiting", "key_id": "77"}')
    assert await hub.enrol() == EnrolmentAnswer(None, "77")


@pytest.mark.parametrize(
    ("status", "body", "kind", "code", "says"),
    [
        (403, b'{"detail": "No.", "title": "T", "code": "c"}', RefusedError, "c", "The hub refused: No."),
        (403, b'{"title": "T"}', RefusedError, "http_403", "The hub refused: T"),
        (502, b"{}", RefusedError, "http_502", "The hub refused: HTTP 502"),
        (201, b"[]", RefusedError, "http_201", "The hub refused: HTTP 201"),
        (200, b"[]", RefusedError, "answer", "makes no sense"),
        (200, b"{", HubUnreachableError, "hub_unreachable", "can not be reached"),
        (200, b'{"status": "active", "key_id": "77"}', RefusedError, "answer", "makes no sense"),
        (200, json.dumps({**ACTIVE, "receipt_public_key": "00" * 32}).encode(), RefusedError, "answer", "no sense"),
        (200, json.dumps({**ACTIVE, "receipt_public_key": "zz"}).encode(), RefusedError, "answer", "no sense"),
        (200, b" " * 65_536 + json.dumps(ACTIVE).encode(), HubUnreachableError, "hub_unreachable", "can not be"),
    ],
)  # fmt: skip
async def test_another_answer_is_refused(
    hub_nats: HubNats, status: int, body: bytes, kind: type[EdgeError], code: str, says: str
) -> None:
    with pytest.raises(kind, match=says) as caught:
        await AnsweringHub(hub_nats, status, body).enrol()
    assert caught.value.code == code


@pytest.mark.parametrize("token", ["", "x" * 129, "two words", "é", "a\n"])
async def test_what_is_no_token(hub_nats: HubNats, token: str) -> None:
    with pytest.raises(ConfigError, match="no token"):
        await AnsweringHub(hub_nats, 200, b"{}").enrol(token)
