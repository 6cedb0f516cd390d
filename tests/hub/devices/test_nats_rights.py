"""Permissions of a gateway on a real NATS server: everything else is refused with an error."""

import asyncio
import secrets
import stat

import nkeys
import pytest
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js.errors import Error as JetStreamError

from hub.clock import SystemClock
from hub.devices import nats_jwt
from hub.devices.nats_identity import GatewayIssuer, is_user_key, prepare
from hub.errors import ConfigError
from hub.ingest import bus
from support.servers.nats import Gateway, HubNats
from support.waiting import PATIENCE_S, eventually


async def _refused(gateway: Gateway, message: str) -> None:
    await eventually(lambda: any(message in error.lower() for error in gateway.errors), what=message)


async def test_a_gateway_publishes_frames_and_gets_the_acknowledgement(nats_server: HubNats) -> None:
    async with nats_server.as_gateway("gw-north") as gateway:
        assert not await gateway.publish_frame(b"frame", message_id="1")
        assert await gateway.publish_frame(b"frame", message_id="1"), "the second is a duplicate"
        assert gateway.errors == []


@pytest.mark.parametrize("subject", ["pw.frame.gw-south", "pw.beat.gw-south", "pw.receipt.gw-north", "pw.event.a.b"])
async def test_a_gateway_can_not_publish_elsewhere(nats_server: HubNats, subject: str) -> None:
    async with nats_server.as_hub() as hub, nats_server.as_gateway("gw-north") as gateway:
        before = (await hub.jetstream().stream_info("PW_FRAMES")).state.messages
        await gateway.client.publish(subject, b"x")
        await gateway.client.flush()
        await _refused(gateway, f'permissions violation for publish to "{subject}"')
        assert (await hub.jetstream().stream_info("PW_FRAMES")).state.messages == before


@pytest.mark.parametrize(
    "subject", ["pw.receipt.gw-south", "pw.ask.gw-south", "pw.frame.gw-north", "_INBOX.gw-south.>", "_INBOX.HUB.>", ">"]
)
async def test_a_gateway_can_not_listen_elsewhere(nats_server: HubNats, subject: str) -> None:
    async with nats_server.as_gateway("gw-north") as gateway:
        await gateway.client.subscribe(subject)
        await gateway.client.flush()
        await _refused(gateway, "permissions violation for subscription")


async def test_a_gateway_can_not_touch_the_stream(nats_server: HubNats) -> None:
    async with nats_server.as_gateway("gw-north") as gateway:
        with pytest.raises((NatsError, JetStreamError, TimeoutError)):
            await gateway.client.jetstream(timeout=0.3).purge_stream("PW_FRAMES")
        await _refused(gateway, "$js.api.stream.purge")


async def test_a_gateway_hears_its_own_receipts_and_asks_only(nats_server: HubNats) -> None:
    subjects: asyncio.Queue[str] = asyncio.Queue()

    async def receive(message: Msg) -> None:
        subjects.put_nowait(message.subject)

    async with nats_server.as_hub() as hub, nats_server.as_gateway("gw-north") as gateway:
        for subject in ("pw.receipt.gw-north", "pw.ask.gw-north"):
            await gateway.client.subscribe(subject, cb=receive)
        await bus.flush_commands(gateway.client)
        for subject in ("pw.receipt.gw-south", "pw.receipt.gw-north", "pw.ask.gw-north"):
            await hub.publish(subject, b"x")
        assert [await asyncio.wait_for(subjects.get(), PATIENCE_S) for _ in range(2)] == [
            "pw.receipt.gw-north",
            "pw.ask.gw-north",
        ]
        assert gateway.errors == []


async def test_the_hub_can_not_publish_frames(nats_server: HubNats) -> None:
    async with nats_server.as_hub() as hub:
        before = (await hub.jetstream().stream_info("PW_FRAMES")).state.messages
        await hub.publish("pw.frame.gw-north", b"x")
        await hub.flush()
        assert (await hub.jetstream().stream_info("PW_FRAMES")).state.messages == before


async def test_an_identity_of_another_operator_is_refused(nats_server: HubNats) -> None:
    stranger = prepare(nats_server.folder / "stranger", SystemClock())
    assert stranger.creds_file.exists()
    user = nats_jwt.generate(nkeys.PREFIX_BYTE_USER, secrets.token_bytes(32))
    jwt = GatewayIssuer.load(nats_server.folder / "stranger").issue("gw-north", nats_jwt.public(user), 0)
    with pytest.raises((NatsError, OSError)):
        async with nats_server.with_jwt(jwt, user, "gw-north"):
            pass


async def test_a_jwt_with_rights_of_its_own_is_refused(nats_server: HubNats) -> None:
    """The scoped key can not sign more than its template gives."""
    identity = nats_server.identity
    user = nats_jwt.generate(nkeys.PREFIX_BYTE_USER, secrets.token_bytes(32))
    claims = {"type": "user", "version": 2, "issuer_account": nats_jwt.public(identity.keys["account"])}
    claims |= {"pub": {"allow": [">"]}, "sub": {"allow": [">"]}, "subs": -1, "data": -1, "payload": -1}
    jwt = nats_jwt._sign(identity.keys["gateway-signing"], nats_jwt.public(user), "gw-north", claims, 1)
    with pytest.raises((NatsError, OSError)):
        async with nats_server.with_jwt(jwt, user, "gw-north"):
            pass


async def test_secrets_are_private_and_the_same_at_the_next_start(nats_server: HubNats) -> None:
    folder = nats_server.folder / "nats"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
    again = prepare(folder, SystemClock())
    for name, key in again.keys.items():
        assert nats_jwt.public(key) == nats_jwt.public(nats_server.identity.keys[name])


async def test_a_damaged_or_missing_key_says_what_to_do(nats_server: HubNats) -> None:
    folder = nats_server.folder / "nats"
    (folder / "gateway-signing.nk").write_text("nonsense")
    with pytest.raises(ConfigError, match="restore it from the backup"):
        GatewayIssuer.load(folder)
    with pytest.raises(ConfigError, match="state folder that holds its keys"):
        GatewayIssuer.load(folder / "nowhere")


def test_only_a_user_key_is_a_user_key() -> None:
    user = nats_jwt.public(nats_jwt.generate(nkeys.PREFIX_BYTE_USER, bytes(32)))
    account = nats_jwt.public(nats_jwt.generate(nkeys.PREFIX_BYTE_ACCOUNT, bytes(32)))
    assert is_user_key(user)
    assert not is_user_key(account)
    assert not is_user_key(user[:-1] + ("A" if user[-1] != "A" else "B"))
    assert not is_user_key("U" * 56)
    assert not is_user_key("")
