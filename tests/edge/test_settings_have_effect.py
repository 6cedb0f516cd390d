"""Every setting of the agent does what it says: each has a proof here that runs the agent, or a part of it, with it."""

import asyncio
import contextlib
import json
import ssl
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from nats.aio.msg import Msg

from edge.agent import Agent
from edge.commands import enroll
from edge.keystore import load_frame_key
from edge.meters.readings import MeterReading
from edge.runtime.clock import ManualClock, SystemClock
from edge.runtime.status import ask_status
from edge.settings import Settings
from edge.store.batch import Batch
from edge.store.ledger import Ledger, Signer
from edge.wire.heartbeats import decode_heartbeat
from edge.wire.kinds import CounterEvent, MeterDeclared, Reading, Stop
from edge.wire.quantities import obis
from edge.wire.receipts import Receipt
from edge.wire.records import decode_record, encode_record
from hub.devices.pki import ServerCertificate
from hub.embedded.processes import free_port
from support.servers.broker import BuildingBroker
from support.servers.gateway import AGENT, Gateway, HubSide, Running, agent_in_process, hub_side, modbus_gateway
from support.servers.modbus_meters import Meter as Served
from support.servers.modbus_meters import meter_registers, serve_tcp, words
from support.servers.nats import HubNats
from support.settings_proofs import SettingsProofs
from support.waiting import PATIENCE_S, eventually

PROOFS = SettingsProofs(Settings)
proves = PROOFS.proves
DAY_MS = 86_400_000
OLD = b"o" * 16
"""Boot id of frames that an earlier agent left."""


def test_every_setting_has_a_proof() -> None:
    PROOFS.check()


@contextlib.asynccontextmanager
async def running_inside(gw: Gateway) -> AsyncIterator[Agent]:
    """The agent in this process, without signals and status socket."""
    agent = agent_in_process(gw)
    agent._open_broker()
    await agent._open_ledger()
    async with agent._tasks():
        yield agent


def earlier_ledger(gw: Gateway, clock: ManualClock) -> Ledger:
    """The ledger that an earlier agent of this gateway writes."""
    ledger = Ledger(gw.state / "ledger.sqlite", Signer(gw.gateway_id, OLD, load_frame_key(gw.state / "keys")), clock)
    ledger.open()
    return ledger


async def tls_server(
    certificate: ServerCertificate, serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
) -> asyncio.Server:
    """Listens on a port of this machine with the hub's certificate."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate.cert_file, certificate.key_file)
    return await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)


PACES: dict[str, tuple[int, int]] = {
    "poll_period_s": (1, 900),
    "seal_interval_s": (1, 60),
    "heartbeat_s": (1, 600),
    "backlog_frames_per_s": (1000, 1),
}
"""Settings of pace: the quick value and the slow one."""
BACKLOG = 30


@proves("Settings.poll_period_s", "Settings.seal_interval_s", "Settings.heartbeat_s", "Settings.backlog_frames_per_s")
async def test_each_pace_is_set_by_its_own_setting(hub_nats: HubNats, tmp_path: Path) -> None:
    """Four agents, each with another one of the four settings quick: it alone does that often, and nothing else."""
    beats: dict[str, int] = {}

    async def count_beat(message: Msg) -> None:
        beats[message.subject] = beats.get(message.subject, 0) + 1

    async with contextlib.AsyncExitStack() as stack:
        listener = await stack.enter_async_context(hub_nats.as_hub())
        await listener.subscribe("pw.beat.*", cb=count_beat)
        await listener.flush()
        counts: dict[str, Callable[[], dict[str, int]]] = {}
        for quick in PACES:
            served = Served(meter_registers("sdm630", 1_000, 2, 3))
            port = await stack.enter_async_context(serve_tcp({1: served}))
            name = f"gw-{quick.replace('_', '-')}"
            paces = {setting: values[setting != quick] for setting, values in PACES.items()}
            gw = modbus_gateway(name, tmp_path / name, {"METER_001": port}, interval_s=86_400, **paces)
            gw.enrol(hub_nats)
            ledger = earlier_ledger(gw, ManualClock(SystemClock().now_ms()))
            for number in range(BACKLOG):
                ledger.commit(Batch(records=[encode_record(Stop(number, "x"))]))
                ledger.seal()
            ledger.close()
            hub = await stack.enter_async_context(hub_side(hub_nats, gw))
            hub.receipts_on = False
            await stack.enter_async_context(running_inside(gw))

            counts[quick] = partial(_counted, hub, served, beats, name)
        often = {"poll_period_s": 5, "seal_interval_s": 1, "heartbeat_s": 3, "backlog_frames_per_s": BACKLOG}
        await eventually(
            lambda: all(counts[quick]()[quick] >= least for quick, least in often.items()), what="the quick"
        )
        for quick, count in counts.items():
            # A slot of 900 s may begin meanwhile
            seldom = {"poll_period_s": 2, "seal_interval_s": 0, "heartbeat_s": 1, "backlog_frames_per_s": BACKLOG - 1}
            done = count()
            assert all(done[name] <= most for name, most in seldom.items() if name != quick), (quick, done)


def _counted(hub: HubSide, served: Served, beats: Mapping[str, int], name: str) -> dict[str, int]:
    """How often a gateway did what each setting of pace is about."""
    old = sum(boot_id == OLD for boot_id, _ in hub.frames)
    return {
        "poll_period_s": served.reads,
        "seal_interval_s": len(hub.frames) - old,
        "heartbeat_s": beats.get(f"pw.beat.{name}", 0), "backlog_frames_per_s": old,
    }  # fmt: skip


@proves("Settings.keep_days", "Settings.max_ledger_mb")
async def test_how_long_and_how_much_the_ledger_keeps(hub_nats: HubNats, tmp_path: Path) -> None:
    left: list[tuple[Any, ...]] = []
    now_ms = SystemClock().now_ms()
    for max_mb in (8, 16):
        gw = modbus_gateway(f"gw-keeps-{max_mb}", tmp_path / str(max_mb), {"METER_001": 1}, keep_days=2,
                            max_ledger_mb=max_mb)  # fmt: skip
        gw.enrol(hub_nats)
        clock = ManualClock(now_ms)
        ledger = earlier_ledger(gw, clock)
        for sequence, received_ms in ((1, now_ms - 2 * DAY_MS - 60_000), (2, now_ms - 2 * DAY_MS + 600_000)):
            ledger.commit(Batch(records=[encode_record(Stop(sequence, "x"))]))
            ledger.seal()
            clock.ms = received_ms
            ledger.commit(Batch(receipts=[Receipt(gw.gateway_id, 1, {OLD: [(sequence, sequence)]})]))
        if max_mb == 8:
            (only,) = await _rows_after_the_first_frame(gw, ledger)
            assert only == (2,), "the receipt of the first is too old"
            ledger.open()
        for sequence in range(10, 100):
            ledger._opened().execute(
                "INSERT INTO frame (boot_id, sequence, header, signature, body, sealed_at_ms, stored_at_ms) "
                "VALUES (?, ?, x'', x'', zeroblob(131072), 1, ?)", (OLD, sequence, now_ms),
            )  # fmt: skip
        left.append(tuple(await _rows_after_the_first_frame(gw, ledger)))
    assert left[0] == () and len(left[1]) == 91, "above 8 MiB they go, below 16 MiB they stay"


async def _rows_after_the_first_frame(gw: Gateway, ledger: Ledger) -> list[tuple[Any, ...]]:
    """Closes the ledger, runs the agent until it has pruned, which comes before its first frame, and looks."""
    ledger.close()
    async with running_inside(gw) as agent:
        await eventually(lambda: agent._writer.ledger.last_sequence > 0, what="a frame")
    return gw.rows("SELECT sequence FROM frame WHERE boot_id = X'6f6f6f6f6f6f6f6f6f6f6f6f6f6f6f6f' ORDER BY id")


@proves("Settings.gateway_id", "Settings.state_dir", "Settings.quantities", "Settings.metrics_port", "Hub.nats_url",
        "Meter.id", "Meter.profile", "Meter.url", "Meter.rated_power_w")  # fmt: skip
async def test_what_is_read_and_where_it_goes(
    hub_nats: HubNats, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registers = meter_registers("sdm630", 1_000, 2, 3) | {0x46: words(50.0, "FLOAT32")}
    first, third = Served(dict(registers)), Served(dict(registers))
    second = Served(meter_registers("sdm120", 4_000, 5, 6))
    metrics_port = free_port()
    async with serve_tcp({1: first, 7: second, 8: third}) as port:
        meters: list[dict[str, Any]] = [
            {"id": "METER_A", "profile": "sdm630", "url": f"tcp://127.0.0.1:{port}"},
            {"id": "METER_B", "profile": "sdm120", "url": f"tcp://127.0.0.1:{port}?device=7"},
            {"id": "METER_C", "profile": "sdm630", "url": f"tcp://127.0.0.1:{port}?device=8", "rated_power_w": 1},
        ]
        extra = {"quantities": ["16.7.0", "14.7.0"], "metrics_port": metrics_port}
        gw = Gateway("gw-effect", tmp_path, meters, extra=extra)
        gw.write_config()
        gw.enrol(hub_nats)
        identity = gw.state / "identity.json"
        identity.write_text(identity.read_text().replace(hub_nats.url, f"tls://127.0.0.1:{free_port()}"))
        monkeypatch.setenv("PEERWATT_EDGE_HUB__NATS_URL", hub_nats.url)
        async with hub_side(hub_nats, gw) as hub, gw.running() as agent:
            left_out = await agent.wait_for_line("value left out")
            await eventually(lambda: len({r.meter_index for r in hub.of(Reading)}) == 3, what="readings of each")
            page = await asyncio.to_thread(_get, f"http://127.0.0.1:{metrics_port}/metrics")
            status = await asyncio.to_thread(ask_status, gw.state)
        assert {frame.header.gateway_id for frame in hub.frames.values()} == {"gw-effect"}
    assert (left_out["meter_id"], "more than 1 W" in left_out["reason"]) == ("METER_C", True)
    declared = {(one.meter_id, one.profile): one.meter_index for one in hub.of(MeterDeclared)}
    assert set(declared) == {("METER_A", "sdm630"), ("METER_B", "sdm120"), ("METER_C", "sdm630")}
    values = {r.meter_index: (r.import_wh, r.quantities) for r in hub.of(Reading)}
    power, frequency = (obis("16.7.0"), 3, 0), (obis("14.7.0"), 50_000, -3)
    assert values[declared["METER_A", "sdm630"]] == (1_000, (power, frequency))
    assert values[declared["METER_B", "sdm120"]][0] == 4_000
    assert values[declared["METER_C", "sdm630"]] == (1_000, (frequency,))
    assert status is not None and status["hub"] == "connected" and status["meters"] == 3
    assert "peerwatt_edge_readings_total" in page
    assert {"keys", "identity.json", "ledger.sqlite"} <= {entry.name for entry in gw.state.iterdir()}


@proves("Settings.interval_s")
async def test_an_interval_s_end_is_sealed_and_told_at_once(hub_nats: HubNats, tmp_path: Path) -> None:
    """By themselves frames are sealed every minute and heartbeats sent every ten."""
    told: dict[str, list[int]] = {"gw-2": [], "gw-86400": []}
    there: dict[int, set[int]] = {}
    sides: dict[str, HubSide] = {}

    def slots(until_s: int) -> set[int]:
        return {r.slot_s for r in sides["gw-2"].of(Reading) if r.slot_s <= until_s}

    async def keep(message: Msg) -> None:
        name, at_s = message.subject.removeprefix("pw.beat."), decode_heartbeat(message.data).complete_until_s
        told[name].append(at_s)
        if name == "gw-2" and at_s:
            there[at_s] = slots(at_s)

    async with contextlib.AsyncExitStack() as stack:
        listener = await stack.enter_async_context(hub_nats.as_hub())
        await listener.subscribe("pw.beat.*", cb=keep)
        await listener.flush()
        port = await stack.enter_async_context(serve_tcp({1: Served(meter_registers("sdm630", 1_000, 2, 3))}))
        for interval_s in (2, 86_400):
            name = f"gw-{interval_s}"
            gw = modbus_gateway(name, tmp_path / name, {"METER_001": port}, interval_s=interval_s, poll_period_s=1,
                                seal_interval_s=60, heartbeat_s=600)  # fmt: skip
            gw.enrol(hub_nats)
            sides[name] = await stack.enter_async_context(hub_side(hub_nats, gw))
            await stack.enter_async_context(running_inside(gw))
        await eventually(lambda: len({at_s for at_s in told["gw-2"] if at_s}) >= 3, what="three intervals")
        assert sides["gw-86400"].frames == {} and set(told["gw-86400"]) <= {0}
    complete_s = [at_s for at_s in told["gw-2"] if at_s]
    assert all(at_s % 2 == 0 for at_s in complete_s) and complete_s == sorted(complete_s)
    assert any(there.values())
    for at_s, slots_then in there.items():
        assert slots_then == slots(at_s), "a reading came after the gateway had said that it has all"


@proves("Meter.rollover_wh")
def test_a_fall_at_the_width_that_the_settings_name_is_a_rollover(hub_nats: HubNats, tmp_path: Path) -> None:
    events = []
    for width in (10**9, 10**8):
        gw = modbus_gateway(f"gw-width-{width}", tmp_path / str(width), {"METER_001": 1})
        gw.meters[0]["rollover_wh"] = width  # type: ignore[index]
        gw.write_config()
        gw.enrol(hub_nats)
        agent = agent_in_process(gw)
        for second, import_wh in enumerate((10**9 - 3, 10**9 - 2, 10**9 - 1, 1, 2, 3)):
            reading = MeterReading("METER_001", second, second * 1000, import_wh, 0)
            built = agent._builder.build(reading, agent._fleet.kinds["METER_001"])
            events += [r for r in map(decode_record, built.records) if isinstance(r, CounterEvent)]
    assert [(event.event, event.import_width_wh) for event in events if event.event != "first"] == [
        ("rollover", 10**9), ("reset", 0),
    ]  # fmt: skip


def _get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:  # noqa: S310 - our own
        return str(answer.read().decode())


@proves("Settings.log_level")
async def test_the_log_has_lines_of_its_level_and_above(hub_nats: HubNats, tmp_path: Path) -> None:
    for level, least in (("error", set[str]()), ("warning", {"warning"})):
        gw = modbus_gateway(f"gw-{level}", tmp_path / level, {"METER_001": free_port()}, log_level=level)
        gw.enrol(hub_nats)
        log = gw.folder / "log"
        with log.open("wb") as sink:
            process = await asyncio.create_subprocess_exec(AGENT, "run", "--config", gw.config, stderr=sink)
        try:

            async def has_lost(gw: Gateway = gw) -> bool:
                status = await asyncio.to_thread(ask_status, gw.state)
                return status is not None and status.get("meters_lost") == ["METER_001"]

            await eventually(has_lost, what="a lost meter, which is a warning")
        finally:
            process.terminate()
            await process.wait()
        lines = Running(gw, process, log).lines()
        assert {line["level"] for line in lines if line["event"] != "ledger put aside"} == least, lines


@proves("Hub.url", "Hub.ca_file")
async def test_enrolment_asks_the_hub_of_the_settings_and_trusts_its_ca(hub_nats: HubNats, tmp_path: Path) -> None:
    certificate, asked = hub_nats.certificate, list[bytes]()
    answer = {"status": "waiting", "key_id": "77"}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        body = json.dumps(answer).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(body), body))
        await writer.drain()
        writer.close()

    server = await tls_server(certificate, serve)
    gw = modbus_gateway("gw-asks", tmp_path, {"METER_001": 1})
    gw.config.write_text(
        gw.config.read_text()
        .replace("https://127.0.0.1:1", f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        .replace(str(gw.folder / "ca.pem"), str(certificate.ca_file))
    )
    async with server:
        with pytest.raises(Exception, match="The key 77 waits for an operator"):
            await asyncio.to_thread(enroll, gw.config, "a-token")
    assert asked[0].startswith(b"POST /api/v1/enrolment HTTP/1.1\r\n")


@proves("Mqtt.url", "Mqtt.username", "Mqtt.password_file", "Mqtt.ca_file")
async def test_the_broker_is_asked_as_the_settings_say(hub_nats: HubNats, tmp_path: Path) -> None:
    certificate, said = hub_nats.certificate, asyncio.get_running_loop().create_future()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not said.done():
            said.set_result(await reader.read(1024))
        writer.close()

    server = await tls_server(certificate, serve)
    (tmp_path / "password").write_text(" the secret\n")
    mqtt = {
        "url": f"mqtts://127.0.0.1:{server.sockets[0].getsockname()[1]}", "username": "its-name",
        "password_file": str(tmp_path / "password"), "ca_file": str(certificate.ca_file),
    }  # fmt: skip
    gw = Gateway("gw-tls", tmp_path, [{"id": "METER_011", "dialect": "tasmota-sml", "topic": "t"}], mqtt)
    gw.write_config()
    gw.enrol(hub_nats)
    async with server, running_inside(gw):
        packet = await asyncio.wait_for(said, PATIENCE_S)
    texts = (b"MQTT", b"peerwatt-gw-tls", b"its-name", b"the secret")
    assert all(len(text).to_bytes(2, "big") + text in packet for text in texts), packet


@proves("Meter.topic", "Meter.dialect")
async def test_a_meter_is_heard_on_its_topic_in_its_dialect(
    hub_nats: HubNats, broker: BuildingBroker, tmp_path: Path
) -> None:
    dialects: dict[str, dict[str, Any]] = {
        "tasmota-sml": {"SML": {"Total_in": 1}},
        "tasmota-energy": {"ENERGY": {"Total": 2}},
        "shelly-gen2": {"method": "NotifyStatus", "params": {"emdata:0": {"total_act": 3000, "total_act_ret": 4}}},
    }
    meters = [{"id": f"METER_{n}", "dialect": dialect, "topic": f"effect/{n}"} for n, dialect in enumerate(dialects)]
    gw = Gateway("gw-topics", tmp_path, meters, broker.settings(tmp_path))
    gw.write_config()
    gw.enrol(hub_nats)
    async with (
        broker.client() as client,
        running_inside(gw) as agent,
    ):

        async def heard() -> bool:
            for number, message in enumerate(dialects.values()):
                await client.publish(f"effect/{number}", json.dumps(message), qos=1)
            return len(gw.rows("SELECT 1 FROM counter")) == 3

        await eventually(heard, what="all three")
        assert agent._lost_meters() == []
    rows = gw.rows("SELECT meter_id, import_wh, export_wh FROM counter ORDER BY meter_id")
    assert rows == [("METER_0", 1_000, 0), ("METER_1", 2_000, 0), ("METER_2", 3_000, 4)]
