"""Every setting of the hub does what it says: each has a proof here that runs a program of it, or a part, with it."""

import asyncio
import contextlib
import json
import shutil
import socket
import ssl
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from solders.compute_budget import set_compute_unit_price

from edge.commands import enroll
from hub.accounts import service as accounts
from hub.accounts.tokens import AccessTokens
from hub.chain.bootstrap import Bootstrap
from hub.chain.client import ChainClient
from hub.clock import ManualClock, SystemClock, at_ms, at_s
from hub.devices.nats_identity import identity_folder, prepare
from hub.devices.pki import Authority, ServerCertificate
from hub.devices.service import RECEIPT_KEY
from hub.embedded.processes import free_port
from hub.http.types import utc_text
from hub.keys import load_or_create, mark_as_demo
from hub.metering.rounds import AttestationRound
from hub.postgres.db import Pool
from hub.settings import Settings, load_settings
from support.commands import run_hub
from support.rows.gateways import SealingGateway
from support.rows.seed import ANNA, BEN, END_S, NOW_S, PASSWORD, START_S, Campus
from support.rows.site_rows import (
    add_coverage,
    add_interval_energy,
    add_meter,
    add_participant,
    add_readings,
    end_leases,
    lead,
    same_time_as,
)
from support.servers.api import problem, running_api
from support.servers.faulty_node import FaultyNode
from support.servers.gateway import modbus_gateway
from support.servers.hub_process import hub_process, write_settings
from support.servers.ingest import ReceiptListener
from support.servers.ledger import LedgerProcess
from support.servers.nats import HubNats
from support.servers.nodes import NO_CHAIN
from support.servers.rpc_faults import ACCOUNTS, SEND, AsksFees, Refuses
from support.settings_proofs import SettingsProofs
from support.settlement.campus import ENERGY, SettlingCampus
from support.waiting import PATIENCE_S, eventually

PROOFS = SettingsProofs(Settings)
proves = PROOFS.proves


async def said(*arguments: str | Path) -> str:
    """What a command prints that ends well."""
    done = await asyncio.to_thread(run_hub, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_setting_has_a_proof() -> None:
    PROOFS.check()


@pytest.fixture(scope="module")
def hub_state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state folder with keys that a demo made."""
    folder = tmp_path_factory.mktemp("hub")
    folder.chmod(0o700)
    Bootstrap.load_or_create(folder / "keys")
    mark_as_demo(folder / "keys")
    return folder


@pytest.fixture(scope="module")
def keys(hub_state: Path) -> Bootstrap:
    """The keys in that folder, which ``module_ledger`` knows."""
    return Bootstrap.load_or_create(hub_state / "keys")


@pytest.fixture
def shared(hub_state: Path, db_url: str, first: FaultyNode, second: FaultyNode) -> dict[str, Any]:
    """The settings that `serve` and `worker` have in common: of a demo, on two nodes."""
    values = {"state_dir": hub_state, "database_url": db_url, "demo": True}
    return {**values, "rpc_url": first.url, "more_rpc_urls": [second.url]}


@pytest.fixture
def upstream_url(module_ledger: LedgerProcess) -> str:
    return module_ledger.url


@proves("Settings.site_name", "Settings.site_timezone", "Settings.currency", "Settings.sun_offset_s", "Settings.demo",
        "Settings.interval_s", "Settings.poll_period_s", "Settings.attest_grace_s")  # fmt: skip
async def test_what_the_pages_are_told(pool: Pool, campus: Campus, state_dir: Path) -> None:
    same = {"currency": "JPY", "sun_offset_s": 5 * 3600, "demo": True, "interval_s": 60, "poll_period_s": 7}
    values = {**same, "site_name": "Test field", "site_timezone": "Asia/Tokyo", "attest_grace_s": 11}
    minute_s = NOW_S // 60 * 60
    minute = {"start_at": utc_text(at_s(minute_s)), "end_at": utc_text(at_s(minute_s + 60))}
    await pool.execute("UPDATE trades SET start_at = $1", at_s(minute_s))
    async with running_api(pool, state_dir, NOW_S * 1000, rpc_url=NO_CHAIN, **values) as api:
        anna = api.bearer("participant", ANNA)
        site = (await api.get("/system/site")).json()
        today = (await api.get("/today", anna)).json()
        trades = (await api.get("/trades", anna)).json()["items"]
        trade = (await api.get(f"/trades/{campus.trades[BEN].hex()}", anna)).json()
    assert {name: site[name] for name in same} == same
    assert (site["name"], site["timezone"], site["running_interval"]) == ("Test field", "Asia/Tokyo", minute)
    assert today["day_start_at"] == "2026-06-01T10:00:00Z", "19:01 in Tokyo and five hours are the next day"
    assert today["stale"] is True, "the power is of half a minute ago"
    assert {name: today["running"][name] for name in minute} == minute
    assert today["next_clearing_at"] == minute["end_at"]
    assert today["next_clearing_latest_at"] == utc_text(at_s(minute_s + 60 + 11))
    assert {one["end_at"] for one in [*trades, trade]} == {minute["end_at"]}, "the interval is not attested yet"


@proves("Settings.public_origin")
async def test_pages_of_the_public_origin_sign_in_and_no_others(pool: Pool, state_dir: Path) -> None:
    async with pool.acquire() as connection:
        await accounts.create_user(connection, "op@campus.example", "Op", PASSWORD, "operator")
    body = {"email": "op@campus.example", "password": PASSWORD}
    origins = ("https://campus.example", "http://campus.example:81")
    tokens: list[dict[str, str]] = []
    for own, foreign in zip(origins, reversed(origins), strict=True):
        async with running_api(pool, state_dir, NOW_S * 1000, public_origin=own, rpc_url=NO_CHAIN) as api:
            refused = await api.client.post("/api/v1/auth/login", json=body, headers={"Origin": foreign})
            assert own in problem(refused, 403, "origin_refused")
            signed_in = await api.client.post("/api/v1/auth/login", json=body, headers={"Origin": own})
            tokens.append({"Authorization": f"Bearer {signed_in.json()['access_token']}"})
            statuses = [(await api.get("/auth/me", token)).status_code for token in tokens]
            assert statuses == [401] * (len(tokens) - 1) + [200], "a token is for its own origin"
            assert ("Secure" in signed_in.headers["set-cookie"]) is own.startswith("https")
            assert ("strict-transport-security" in signed_in.headers) is own.startswith("https")


@proves("Settings.interval_s", "Settings.poll_period_s", "Settings.attest_grace_s")
async def test_the_oracle_keeps_to_the_times_of_the_settings(pool: Pool, tmp_path: Path) -> None:
    """Both meters are read beside the boundaries, the second one further away than two poll periods."""
    settings = load_settings(
        write_settings(tmp_path / "hub.toml", state_dir=tmp_path, database_url="unused", interval_s=300,
                       poll_period_s=20, attest_grace_s=77)
    )  # fmt: skip
    start_s, end_s = START_S, START_S + 300
    await add_participant(pool, ANNA)
    for meter_id, away_s in (("METER_001", 15), ("METER_002", 30)):
        await add_meter(pool, meter_id, ANNA, expected_from_s=start_s)
        slots = ((start_s - away_s, 0), (start_s + away_s, 60), (end_s - away_s, 240), (end_s + away_s, 300))
        await add_readings(pool, meter_id, [(slot_s, import_wh, 0) for slot_s, import_wh in slots], period_s=1)
    await add_coverage(pool, 0, end_s + 86_400)
    clock = ManualClock((end_s + 77) * 1000 - 1)
    oracle, lease = AttestationRound(settings, pool, clock, same_time_as(clock)), await lead(pool)
    await oracle.run(lease)
    assert await pool.fetchval("SELECT count(*) FROM intervals") == 0
    clock.advance(1)
    await oracle.run(lease)
    rows = await pool.fetch("SELECT start_at, end_at, quality, import_wh FROM intervals "
                            "JOIN interval_readings USING (start_at) ORDER BY meter_id")  # fmt: skip
    span = at_s(start_s), at_s(end_s)
    assert [tuple(row) for row in rows] == [(*span, "valid", 240), (*span, "estimated", 240)]


@proves("Settings.heartbeat_s")
async def test_a_gateway_is_offline_after_three_heartbeats_of_the_settings(pool: Pool, tmp_path: Path) -> None:
    """It says when all that it read is stored, so that it is waited for while it is there."""
    settings = load_settings(
        write_settings(tmp_path / "hub.toml", state_dir=tmp_path, database_url="unused", interval_s=300,
                       attest_grace_s=0, heartbeat_s=7)
    )  # fmt: skip
    end_s = START_S + 300
    await add_participant(pool, ANNA)
    await add_meter(pool, "METER_001", ANNA, expected_from_s=START_S)
    await pool.execute(
        "UPDATE gateways SET last_beat_at = $1, last_beat = $2",
        at_s(end_s), {"complete_until_s": START_S, "sent_at_ms": end_s * 1000, "time_quality": "S"},
    )  # fmt: skip
    clock = ManualClock(end_s * 1000)
    oracle, lease = AttestationRound(settings, pool, clock, same_time_as(clock)), await lead(pool)
    for after_s, count in ((21, 0), (22, 1)):
        clock.ms = (end_s + after_s) * 1000
        await pool.execute("DELETE FROM ingest_coverage")
        await add_coverage(pool, 0, end_s + after_s)
        await oracle.run(lease)
        assert await pool.fetchval("SELECT count(*) FROM intervals") == count


@proves("Settings.site_latitude", "Settings.site_longitude")
@pytest.mark.parametrize(("place", "quality"), [((-23, 100), "valid"), ((23, 100), "valid"), ((23, -80), "estimated")])
async def test_a_generator_exports_nothing_where_it_is_night(
    pool: Pool, tmp_path: Path, place: tuple[int, int], quality: str
) -> None:
    """At ten o'clock in the morning of Greenwich in June."""
    settings = load_settings(
        write_settings(tmp_path / "hub.toml", state_dir=tmp_path, database_url="unused", site_latitude=place[0],
                       site_longitude=place[1])
    )  # fmt: skip
    await add_participant(pool, ANNA)
    await add_meter(pool, "METER_001", ANNA, expected_from_s=START_S)
    await pool.execute("UPDATE meters SET kind = 'generation'")
    await add_interval_energy(pool, "METER_001", START_S, 900, (0, 500))
    await add_coverage(pool)
    clock = ManualClock((START_S + 900) * 1000)
    await AttestationRound(settings, pool, clock, same_time_as(clock)).run(await lead(pool))
    assert await pool.fetchval("SELECT quality FROM interval_readings") == quality


@proves("Settings.web_host", "Settings.web_port", "Settings.device_host", "Settings.device_port",
        "Settings.device_tls_cert", "Settings.device_tls_key", "Settings.state_dir", "Settings.database_url",
        "Settings.nats_url", "Settings.nats_ca_file", "Settings.rpc_url", "Settings.more_rpc_urls",
        "Settings.demo")  # fmt: skip
async def test_serve_listens_and_answers_as_set(
    shared: dict[str, Any], pool: Pool, first: FaultyNode, second: FaultyNode, tmp_path: Path
) -> None:
    """A gateway enrols, and an auditor looks at the chain while one of the nodes is away."""
    prepare(identity_folder(shared["state_dir"]), SystemClock())
    certificate = device_certificate(tmp_path, "127.0.0.3")
    (tmp_path / "nats-ca.pem").write_text("the CA of NATS")
    web, device = ["127.0.0.2", free_port()], ["127.0.0.3", free_port()]
    config = write_settings(
        tmp_path / "hub.toml", **shared, web_host=web[0], web_port=web[1], device_host=device[0],
        device_port=device[1], device_tls_cert=certificate.cert_file, device_tls_key=certificate.key_file,
        nats_url="tls://nats.example:4333", nats_ca_file=tmp_path / "nats-ca.pem",
    )  # fmt: skip
    gateway = modbus_gateway("gw-enrols", tmp_path / "gateway", {"METER_001": 1})
    gateway.config.write_text(gateway.config.read_text().replace("127.0.0.1:1", f"127.0.0.3:{device[1]}"))
    shutil.copy(certificate.ca_file, gateway.folder / "ca.pem")
    await pool.execute("INSERT INTO gateways (gateway_id, building) VALUES ('gw-enrols', 'North')")
    token = AccessTokens.from_settings(load_settings(config), SystemClock()).issue(UUID(int=1), "auditor", None)
    async with (
        hub_process("serve", config) as serve,
        httpx.AsyncClient(base_url="http://{}:{}/api/v1".format(*web), timeout=PATIENCE_S) as client,
    ):
        assert (serve.ready["web"], serve.ready["devices"]) == (web, device)
        enrolment_token = await said("token", "--config", config, "gw-enrols")
        await asyncio.to_thread(enroll, gateway.config, enrolment_token.strip())
        for away, other in ((second, first), (first, second)):
            away.faults, other.faults = [Refuses(status=500)], []
            head = await client.get("/chain/head", headers={"Authorization": f"Bearer {token}"})
            assert head.status_code == 200, head.text
    identity = json.loads((gateway.state / "identity.json").read_text())
    assert (identity["nats_url"], identity["nats_ca_pem"]) == ("tls://nats.example:4333", "the CA of NATS")
    assert identity["receipt_public_key"] == receipt_public_key(shared).hex()


def receipt_public_key(settings: dict[str, Any]) -> bytes:
    """Returns the public key of receipts that is in the state folder."""
    return bytes(load_or_create(settings["state_dir"] / "keys" / RECEIPT_KEY).pubkey())


@proves("Settings.web_socket_fd", "Settings.device_socket_fd", "Settings.device_tls_cert")
async def test_serve_inherits_its_sockets(db_url: str, tmp_path: Path) -> None:
    """The ports of the settings are taken: it would fail if it opened one. The certificate's file holds the key too."""
    tmp_path.chmod(0o700)
    certificate = device_certificate(tmp_path, "127.0.0.1")
    both = tmp_path / "both.pem"
    both.write_text(certificate.cert_file.read_text() + certificate.key_file.read_text())
    trusting = ssl.create_default_context(cafile=certificate.ca_file)
    with contextlib.ExitStack() as stack:
        web, device, taken = (stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(3))
        config = write_settings(
            tmp_path / "hub.toml", state_dir=tmp_path, database_url=db_url, web_port=taken.getsockname()[1],
            device_port=taken.getsockname()[1], device_tls_cert=both, web_socket_fd=web.fileno(),
            device_socket_fd=device.fileno(),
        )  # fmt: skip
        async with (
            hub_process("serve", config, sockets=[web.fileno(), device.fileno()]),
            httpx.AsyncClient(verify=trusting, timeout=PATIENCE_S) as client,
        ):
            site = await client.get(f"http://127.0.0.1:{web.getsockname()[1]}/api/v1/system/site")
            enrolment = await client.get(f"https://127.0.0.1:{device.getsockname()[1]}/api/v1/enrolment")
    assert (site.status_code, enrolment.status_code) == (200, 405)


def device_certificate(folder: Path, host: str) -> ServerCertificate:
    """Returns a certificate of the hub's CA for the gateways' listener."""
    clock = SystemClock()
    return Authority.load_or_create(folder / "pki", clock).server_certificate("devices", [host], clock)


@proves("Settings.nats_url", "Settings.nats_ca_file", "Settings.nats_creds_file", "Settings.metrics_port",
        "Settings.rpc_url", "Settings.more_rpc_urls", "Settings.priority_fee_micro_lamports",
        "Settings.priority_fee_cap_micro_lamports", "Settings.state_dir", "Settings.database_url",
        "Settings.demo")  # fmt: skip
async def test_the_worker_settles_with_what_the_settings_name(
    shared: dict[str, Any], keys: Bootstrap, pool: Pool, first: FaultyNode, second: FaultyNode, nats_server: HubNats,
    tmp_path: Path,
) -> None:  # fmt: skip
    """It takes a frame in and settles two intervals, while doctor looks; others pay little at first, then very much."""
    metrics_port = free_port()
    config = write_settings(
        tmp_path / "hub.toml", **shared, nats_url=nats_server.url, nats_ca_file=nats_server.ca_file,
        nats_creds_file=nats_server.identity.creds_file, metrics_port=metrics_port, attest_grace_s=3600,
        priority_fee_micro_lamports=1000, priority_fee_cap_micro_lamports=3000,
    )  # fmt: skip
    async with ChainClient(first.upstream) as chain:
        campus = await SettlingCampus.create(pool, chain, keys, len(ENERGY))
        for _ in range(2):
            await campus.interval(ENERGY)
    await end_leases(pool)
    first.faults = second.faults = [AsksFees(times=1, micro_lamports=1), AsksFees(micro_lamports=10**6)]
    north, listener = SealingGateway("gw-north"), ReceiptListener(receipt_public_key(shared))
    await north.register(pool, meters=False)
    async with (
        hub_process("worker", config),
        nats_server.as_gateway("gw-north") as gateway,
        httpx.AsyncClient(timeout=PATIENCE_S) as client,
    ):
        await listener.listen(gateway)
        await gateway.publish_frame(north.seal(north.declarations()).encode())
        await eventually(lambda: bool(listener.receipts), what="a receipt with the key of the state folder")
        await eventually(lambda: reconciled(pool, 2), what="both intervals on the chain")
        metrics = (await client.get(f"http://127.0.0.1:{metrics_port}/metrics")).text
        found = json.loads(await said("doctor", "--config", config, "--json"))["findings"]
    asked = first.calls[ACCOUNTS], second.calls[ACCOUNTS]
    report = json.loads(await said("reconcile", "--config", config, "--json"))
    assert first.calls[ACCOUNTS] > asked[0] and second.calls[ACCOUNTS] > asked[1], "a quorum of both compares"
    assert first.calls[SEND] and second.calls[SEND], "a transaction goes to every node"
    rows = await pool.fetch("SELECT raw FROM blockchain_transactions ORDER BY created_at")
    offers = {fee: bytes(set_compute_unit_price(fee).data) for fee in (1000, 3000)}
    fees = [fee for row in rows for fee, instruction in offers.items() if instruction in row["raw"]]
    assert (len(fees), fees[0], fees[-1]) == (len(rows), 1000, 3000)
    facts = {finding["name"]: finding["fact"] for finding in found}
    for name in (node.url.removeprefix("http://") for node in (first, second)):
        assert f'peerwatt_chain_node_breaker{{node="{name}"}} 0.0' in metrics
        assert f"{name} is at final slot" in facts["nodes"]
    assert facts["nodes"].count("the worker's breaker is closed") == 2
    assert nats_server.url in facts["nats"] and first.url in facts["chain"]
    assert str(shared["state_dir"]) in facts["state"] and str(keys.fee_payer.pubkey()) in facts["keys"]
    assert report["checked"] == 2


async def reconciled(pool: Pool, count: int) -> bool:
    return bool(await pool.fetchval("SELECT count(*) = $1 FROM intervals WHERE state = 'reconciled'", count))


@proves("Settings.truth_file", "Settings.database_url")
async def test_trace_begins_with_the_log_that_is_set(pool: Pool, campus: Campus, db_url: str, tmp_path: Path) -> None:
    reading_id = campus.readings["METER_001", END_S]
    registers = await pool.fetchrow("SELECT import_wh, export_wh FROM readings WHERE reading_id = $1", reading_id)
    assert registers is not None
    served = {"t_ms": END_S * 1000 - 5000, "meter": "METER_001", **registers}
    (tmp_path / "truth.jsonl").write_text(json.dumps(served) + "\n")
    config = write_settings(
        tmp_path / "hub.toml", state_dir=tmp_path, database_url=db_url, truth_file=tmp_path / "truth.jsonl"
    )
    trace = json.loads(await said("trace", "--config", config, "--json", reading_id.hex()))
    first, second, *_ = trace["hops"]
    assert (first["name"], first["at"]) == ("served", at_s(END_S - 5).isoformat())
    assert (second["name"], second["at"]) == ("read", at_ms(END_S * 1000 + 40).isoformat())
