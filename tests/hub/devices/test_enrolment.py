"""Enrolment over HTTP on a real database: every case of the design, with the error code that a gateway gets."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import nkeys
import pytest
from fastapi import FastAPI
from nacl.signing import SigningKey

from hub.api.app import create_device_app
from hub.clock import ManualClock, SystemClock
from hub.devices import nats_jwt, service
from hub.devices.enrolment import proof_message
from hub.devices.errors import KeyNotFoundError, KeyRevokedError, UnknownGatewayError
from hub.devices.nats_identity import identity_folder, prepare
from hub.postgres.db import Pool
from hub.settings import Settings
from support.servers.nats import HubNats

HOUR_MS = 3_600_000


@dataclass
class Keys:
    """A gateway's own keys."""

    frame: SigningKey = field(default_factory=SigningKey.generate)
    user: nkeys.KeyPair = field(
        default_factory=lambda: nats_jwt.generate(nkeys.PREFIX_BYTE_USER, secrets.token_bytes(32))
    )

    def request(self, gateway_id: str, token: str, **changes: Any) -> dict[str, Any]:
        nats_public_key = nats_jwt.public(self.user)
        proof = self.frame.sign(proof_message(gateway_id, token, nats_public_key)).signature
        request = {"gateway_id": gateway_id, "token": token, "public_key": bytes(self.frame.verify_key).hex()}
        return request | {"nats_public_key": nats_public_key, "proof": proof.hex()} | changes


@dataclass
class Hub:
    """The device listener, and the actions of an operator."""

    pool: Pool
    clock: ManualClock
    http: httpx.AsyncClient

    async def token(self, gateway_id: str = "gw-north") -> str:
        async with self.pool.acquire() as connection:
            return await service.make_token(connection, gateway_id, self.clock)

    async def enrol(self, request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        answer = await self.http.post("/api/v1/enrolment", json=request)
        return answer.status_code, answer.json()

    async def refused(self, request: dict[str, Any], status: int, code: str) -> str:
        answer_status, body = await self.enrol(request)
        assert (answer_status, body["code"]) == (status, code)
        return str(body["detail"])

    async def accept(self, gateway_id: str, key_id: str) -> list[str]:
        async with self.pool.acquire() as connection, connection.transaction():
            accepted = await service.accept_key(connection, gateway_id, bytes.fromhex(key_id), self.clock)
            return accepted.retired_key_ids

    async def statuses(self) -> dict[str, str]:
        rows = await self.pool.fetch("SELECT key_id, status FROM gateway_keys")
        return {row["key_id"].hex(): row["status"] for row in rows}


def device_app(pool: Pool, state_dir: Path, clock: ManualClock, nats_url: str = "tls://127.0.0.1:4222") -> FastAPI:
    ca_file = state_dir / "ca.pem"
    ca_file.write_text("-----BEGIN CERTIFICATE-----\n")
    settings = Settings.model_construct(
        state_dir=state_dir, nats_ca_file=ca_file, nats_url=nats_url, public_origin="http://127.0.0.1:8080"
    )
    return create_device_app(settings, pool, clock)


@pytest.fixture
async def hub(pool: Pool, state_dir: Path) -> AsyncIterator[Hub]:
    clock = ManualClock(SystemClock().now_ms())
    prepare(identity_folder(state_dir), clock)
    await pool.execute(
        "INSERT INTO gateways (gateway_id, building) VALUES ('gw-north', 'North'), ('gw-south', 'South')"
    )
    transport = httpx.ASGITransport(device_app(pool, state_dir, clock))
    async with httpx.AsyncClient(transport=transport, base_url="https://hub") as http:
        yield Hub(pool, clock, http)


async def test_the_first_key_is_active_at_once(hub: Hub) -> None:
    keys = Keys()
    status, answer = await hub.enrol(keys.request("gw-north", await hub.token()))
    assert status == 200
    assert (answer["status"], answer["gateway_id"], answer["nats_url"]) == (
        "active",
        "gw-north",
        "tls://127.0.0.1:4222",
    )
    assert answer["nats_jwt"].count(".") == 2
    assert len(bytes.fromhex(answer["receipt_public_key"])) == 32
    assert answer["nats_ca_pem"].startswith("-----BEGIN CERTIFICATE")
    assert await hub.statuses() == {answer["key_id"]: "active"}


async def test_the_same_token_and_keys_get_the_same_answer(hub: Hub) -> None:
    keys, token = Keys(), await hub.token()
    _, first = await hub.enrol(keys.request("gw-north", token))
    hub.clock.advance(2 * HOUR_MS)
    status, again = await hub.enrol(keys.request("gw-north", token))
    assert status == 200
    assert again.pop("hub_time") > first.pop("hub_time"), "only the time is new"
    assert again == first


async def test_a_token_is_for_one_set_of_keys(hub: Hub) -> None:
    token = await hub.token()
    await hub.enrol(Keys().request("gw-north", token))
    detail = await hub.refused(Keys().request("gw-north", token), 409, "token_used")
    assert "peerwatt-hub token" in detail
    assert len(await hub.statuses()) == 1


async def test_a_token_lasts_an_hour(hub: Hub) -> None:
    keys, token = Keys(), await hub.token()
    hub.clock.advance(HOUR_MS)
    await hub.refused(keys.request("gw-north", token), 403, "token_expired")
    assert await hub.statuses() == {}


async def test_a_token_is_for_its_gateway_only(hub: Hub) -> None:
    token = await hub.token("gw-north")
    await hub.refused(Keys().request("gw-south", token), 403, "token_unknown")
    await hub.refused(Keys().request("gw-north", "pwt_guess"), 403, "token_unknown")
    await hub.refused(Keys().request("gw-nowhere", token), 403, "token_unknown")


async def test_without_the_key_there_is_no_enrolment_and_the_token_stays_good(hub: Hub) -> None:
    keys, other_keys, token = Keys(), Keys(), await hub.token()
    stolen = other_keys.request("gw-north", token, public_key=bytes(keys.frame.verify_key).hex())
    await hub.refused(stolen, 403, "proof_invalid")
    swapped = keys.request("gw-north", token, nats_public_key=nats_jwt.public(other_keys.user))
    await hub.refused(swapped, 403, "proof_invalid")
    assert (await hub.enrol(keys.request("gw-north", token)))[0] == 200


@pytest.mark.parametrize(
    ("field_name", "value"),
    [
        ("gateway_id", "GW North"),
        ("token", "with space"),
        ("public_key", "00"),
        ("nats_public_key", "UABC"),
        ("proof", "x"),
    ],
)
async def test_a_malformed_field_is_named(hub: Hub, field_name: str, value: str) -> None:
    request = Keys().request("gw-north", await hub.token()) | {field_name: value}
    assert field_name in await hub.refused(request, 422, "malformed")


async def test_a_weak_key_is_refused(hub: Hub) -> None:
    """With the neutral point as public key, one signature is valid for any message."""
    request = Keys().request("gw-north", await hub.token())
    neutral, proof = (1).to_bytes(32, "little").hex(), ((1).to_bytes(32, "little") + bytes(32)).hex()
    await hub.refused(request | {"public_key": neutral, "proof": proof}, 403, "proof_invalid")


async def test_a_second_key_waits_for_an_operator(hub: Hub) -> None:
    old, new = Keys(), Keys()
    _, first = await hub.enrol(old.request("gw-north", await hub.token()))
    token = await hub.token()
    status, waiting = await hub.enrol(new.request("gw-north", token))
    assert (status, waiting["status"], waiting["nats_jwt"]) == (200, "pending", None)
    assert await hub.statuses() == {first["key_id"]: "active", waiting["key_id"]: "pending"}

    assert await hub.accept("gw-north", waiting["key_id"]) == [first["key_id"]]
    assert await hub.accept("gw-north", waiting["key_id"]) == [], "accepting twice changes nothing"
    _, ready = await hub.enrol(new.request("gw-north", token))
    assert ready["status"] == "active" and ready["nats_jwt"]
    assert await hub.statuses() == {first["key_id"]: "retired", waiting["key_id"]: "active"}

    with pytest.raises(KeyRevokedError, match="must make new keys"):
        await hub.accept("gw-north", first["key_id"])
    with pytest.raises(KeyNotFoundError, match="has no key"):
        await hub.accept("gw-south", waiting["key_id"])
    await hub.refused(old.request("gw-north", await hub.token()), 409, "key_revoked")


async def test_two_first_keys_at_once_do_not_both_become_active(hub: Hub) -> None:
    requests = [Keys().request("gw-north", await hub.token()) for _ in range(4)]
    answers = await asyncio.gather(*(hub.enrol(request) for request in requests))
    assert sorted(answer["status"] for _, answer in answers) == ["active", "pending", "pending", "pending"]


async def test_tokens_are_stored_hashed_and_for_known_gateways_only(hub: Hub) -> None:
    token = await hub.token()
    row = await hub.pool.fetchrow("SELECT * FROM enrolment_tokens")
    assert row is not None and token.encode() not in bytes(row["token_hash"]) and len(row["token_hash"]) == 32
    with pytest.raises(UnknownGatewayError, match="register it first"):
        await hub.token("gw-nowhere")


async def test_an_enrolled_gateway_gets_into_nats(pool: Pool, tmp_path: Path, nats_server: HubNats) -> None:
    clock = ManualClock(SystemClock().now_ms())
    state_dir = tmp_path / "hub"
    state_dir.mkdir()
    (nats_server.folder / "nats").rename(identity_folder(state_dir))
    await pool.execute("INSERT INTO gateways (gateway_id, building) VALUES ('gw-north', 'North')")
    transport = httpx.ASGITransport(device_app(pool, state_dir, clock, nats_server.url))
    async with httpx.AsyncClient(transport=transport, base_url="https://hub") as http:
        keys = Keys()
        _, answer = await Hub(pool, clock, http).enrol(keys.request("gw-north", await Hub(pool, clock, http).token()))
    async with nats_server.with_jwt(answer["nats_jwt"], keys.user, "gw-north") as gateway:
        await gateway.publish_frame(b"frame")
