"""Enrolment from the gateway's side, against the hub's real device listener over TLS; then the first frames."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn

from edge.wire.kinds import Reading
from hub.api.app import create_device_app
from hub.clock import SystemClock
from hub.devices import service
from hub.devices.nats_identity import identity_folder, prepare
from hub.devices.pki import Authority
from hub.postgres.db import Pool
from hub.settings import Settings
from support.servers.gateway import Gateway, hub_side
from support.servers.modbus_meters import Meter, meter_registers, serve_tcp
from support.servers.nats import HubNats
from support.waiting import eventually


@dataclass
class DeviceListener:
    url: str
    ca_file: Path
    pool: Pool

    async def token(self, gateway_id: str) -> str:
        async with self.pool.acquire() as connection:
            return await service.make_token(connection, gateway_id, SystemClock())


@pytest.fixture
async def listener(pool: Pool, state_dir: Path, hub_nats: HubNats) -> AsyncIterator[DeviceListener]:
    """The hub's device listener with a certificate of its own CA, giving out identities for the real NATS."""
    clock = SystemClock()
    identity_folder(state_dir).symlink_to(hub_nats.folder / "nats")
    prepare(identity_folder(state_dir), clock)
    await pool.execute("INSERT INTO gateways (gateway_id, building) VALUES ('gw-north', 'North')")
    certificate = Authority.load_or_create(hub_nats.folder / "pki", clock).server_certificate(
        "devices", ["127.0.0.1"], clock
    )
    settings = Settings.model_construct(
        state_dir=state_dir, nats_ca_file=certificate.ca_file, nats_url=hub_nats.url, public_origin="http://127.0.0.1"
    )
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(
            uvicorn.Config(
                create_device_app(settings, pool, clock), log_level="warning", lifespan="off",
                ssl_certfile=str(certificate.cert_file), ssl_keyfile=str(certificate.key_file),
            )
        )  # fmt: skip
        task = asyncio.create_task(server.serve(sockets=[listening]))
        await eventually(lambda: server.started, what="the device listener")
        yield DeviceListener(f"https://127.0.0.1:{listening.getsockname()[1]}", certificate.ca_file, pool)
        server.should_exit = True
        with contextlib.suppress(asyncio.CancelledError):
            await task


def gateway(folder: Path, listener: DeviceListener, port: int = 1) -> Gateway:
    folder.mkdir(exist_ok=True)
    gw = Gateway("gw-north", folder, [{"id": "METER_001", "profile": "sdm630", "url": f"tcp://127.0.0.1:{port}"}])
    gw.write_config()
    gw.config.write_text(gw.config.read_text().replace("https://127.0.0.1:1", listener.url))
    (folder / "ca.pem").write_text(listener.ca_file.read_text())
    return gw


async def enroll(gw: Gateway, token: str) -> tuple[int, str]:
    done = await asyncio.to_thread(gw.run, "enroll", "--token", token, "--config", gw.config)
    return done.code, done.out + done.err


async def test_a_token_becomes_an_identity_that_the_hub_takes_frames_from(
    listener: DeviceListener, hub_nats: HubNats, tmp_path: Path
) -> None:
    async with serve_tcp({1: Meter(meter_registers("sdm630", 1, 2, 3))}) as port:
        gw = gateway(tmp_path / "one", listener, port)
        token = await listener.token("gw-north")
        code, said = await enroll(gw, token)
        assert code == 0, said
        assert (gw.state / "identity.json").stat().st_mode & 0o777 == 0o600
        assert (await enroll(gw, token))[0] == 0, "asking again gives the same answer"
        async with hub_side(hub_nats, gw) as hub, gw.running():
            await eventually(lambda: len(hub.of(Reading)) >= 2, what="readings")


async def test_what_the_hub_refuses(listener: DeviceListener, tmp_path: Path) -> None:
    gw = gateway(tmp_path / "one", listener)
    code, said = await enroll(gw, "pwt_wrong")
    assert code == 1 and "token_unknown" in said and "peerwatt-hub token" in said
    token = await listener.token("gw-north")
    assert (await enroll(gw, token))[0] == 0
    other = gateway(tmp_path / "two", listener)
    code, said = await enroll(other, token)
    assert code == 1 and "token_used" in said
    code, said = await enroll(other, await listener.token("gw-north"))
    assert code == 75 and "waits for an operator" in said
    assert not (other.state / "identity.json").exists()
    assert (await enroll(other, "two words"))[0] == 78


async def test_another_hub_s_certificate_is_not_trusted(listener: DeviceListener, tmp_path: Path) -> None:
    gw = gateway(tmp_path / "one", listener)
    stranger = Authority.load_or_create(tmp_path / "stranger", SystemClock())
    certificate = stranger.server_certificate("devices", ["127.0.0.1"], SystemClock())
    (gw.folder / "ca.pem").write_text(certificate.ca_file.read_text())
    code, said = await enroll(gw, await listener.token("gw-north"))
    assert code == 69 and "did not sign" in said
