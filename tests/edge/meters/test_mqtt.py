"""MQTT meters through a real broker: a message is acknowledged only when its row is durable."""

import asyncio
import json
from asyncio import Future
from pathlib import Path

import aiomqtt
import pytest

from edge.meters.mqtt import Broker, MqttMeter, Subscriber
from edge.meters.publications import Publications
from edge.meters.readings import MeterReading
from edge.runtime.clock import ManualClock, SystemClock
from edge.wire.kinds import FLAG_GATEWAY_TIME, MeterDeclared, Reading
from support.servers.broker import BuildingBroker
from support.servers.gateway import Gateway, agent_in_process, hub_side
from support.servers.nats import HubNats
from support.waiting import eventually


def payload(second: int, total_wh: int) -> str:
    minutes, seconds = divmod(second, 60)
    return json.dumps({"Time": f"2026-06-01T10:{minutes:02}:{seconds:02}", "SML": {"Total_in": total_wh / 1000}})


def gateway(name: str, folder: Path, broker: BuildingBroker, **extra: object) -> Gateway:
    meters = [{"id": "METER_011", "dialect": "tasmota-sml", "topic": f"tele/{name}/SENSOR"}]
    gw = Gateway(name, folder, meters, broker.settings(folder), extra={"heartbeat_s": 1, **extra})
    gw.write_config()
    return gw


async def test_publications_become_readings_once(hub_nats: HubNats, broker: BuildingBroker, tmp_path: Path) -> None:
    gw = gateway("gw-mqtt", tmp_path, broker)
    gw.enrol(hub_nats)
    topic = "tele/gw-mqtt/SENSOR"
    async with broker.client() as client:
        await client.publish(topic, payload(0, 10), qos=1, retain=True)
        async with hub_side(hub_nats, gw) as hub, gw.running() as agent:
            await agent.wait_for_line("message dropped")
            bad = ("no json", payload(40, 10**20))
            for message in (payload(10, 12), payload(10, 12), *bad, payload(30, 15), payload(20, 16), payload(20, 16)):
                await client.publish(topic, message, qos=1)
            await eventually(lambda: len(hub.of(Reading)) == 3, what="the three good ones")
            assert [line["event"] for line in agent.lines()].count("message dropped") == 3
        await client.publish(topic, b"", qos=1, retain=True)
    readings = hub.of(Reading)
    assert [(r.sequence, r.import_wh, r.flags) for r in readings] == [
        (1, 12, FLAG_GATEWAY_TIME), (2, 15, FLAG_GATEWAY_TIME), (3, 16, FLAG_GATEWAY_TIME),
    ], "the retained one is of months ago, as all their times"  # fmt: skip
    times = [r.slot_s * 1000 + r.read_offset_ms for r in readings]
    assert len(set(times)) == 3


async def test_what_is_published_while_the_agent_is_away_waits_at_the_broker(
    hub_nats: HubNats, broker: BuildingBroker, tmp_path: Path
) -> None:
    gw = gateway("gw-late", tmp_path, broker)
    gw.enrol(hub_nats)
    async with broker.client() as client, hub_side(hub_nats, gw) as hub:
        async with gw.running() as agent:
            await agent.wait_for_line("broker connected")
            await client.publish("tele/gw-late/SENSOR", payload(0, 1), qos=1)
            await eventually(lambda: len(hub.of(Reading)) == 1)
            await agent.kill()
        for second in range(1, 6):
            await client.publish("tele/gw-late/SENSOR", payload(second, second + 1), qos=1)
        async with gw.running():
            await eventually(lambda: len(hub.of(Reading)) == 6, what="what waited")
    assert [reading.import_wh for reading in hub.of(Reading)] == [1, 2, 3, 4, 5, 6]


async def test_kill_9_between_receipt_and_disk_loses_no_message(
    hub_nats: HubNats, broker: BuildingBroker, tmp_path: Path
) -> None:
    """The disk refuses while messages come in, the agent is killed: nothing was acknowledged, so all come again."""
    gw = gateway("gw-held", tmp_path, broker)
    gw.enrol(hub_nats)
    async with broker.client() as client, hub_side(hub_nats, gw) as hub:
        async with gw.running() as agent:
            await agent.wait_for_line("broker connected")
            await client.publish("tele/gw-held/SENSOR", payload(0, 1), qos=1)
            await eventually(lambda: len(hub.of(Reading)) == 1)
            import sqlite3

            lock = sqlite3.connect(gw.state / "ledger.sqlite", isolation_level=None)
            lock.execute("BEGIN EXCLUSIVE")
            for second in range(1, 6):
                await client.publish("tele/gw-held/SENSOR", payload(second, second + 1), qos=1)
            await agent.wait_for_line("storage refuses: readings wait in memory")
            status = await asyncio.to_thread(gw.run, "status", "--config", gw.config, "--json")
            assert status.json["running"] and "make room" in status.json["storage"], status
            assert set(status.json) == {
                "ok", "running", "gateway_id", "meters_lost", "troubles", "memory_queue", "dropped_records", "hub",
                "storage",
            }  # fmt: skip
            await agent.kill()
            lock.execute("ROLLBACK")
            lock.close()
        assert gw.rows("SELECT sequence FROM counter") == [(1,)]
        async with gw.running():
            await eventually(lambda: len(hub.of(Reading)) == 6, what="all of them again")
    assert [(reading.sequence, reading.import_wh) for reading in hub.of(Reading)] == [(n, n) for n in range(1, 7)]


async def test_a_publication_that_nobody_can_read_does_not_come_again(
    hub_nats: HubNats, broker: BuildingBroker, tmp_path: Path
) -> None:
    """It is dropped, named and acknowledged; what is merely odd is recorded."""
    gw = gateway("gw-poison", tmp_path, broker)
    gw.enrol(hub_nats)
    topic, moment = "tele/gw-poison/SENSOR", "2026-06-01T10:00:"
    odd = [
        {"Time": f"{moment}01", "SML": {"Total_in": 0.002, "Meter_number": "Zähler 7"}},
        {"Time": f"{moment}02", "SML": {"Total_in": 0.003, "Meter_number": "Zähler 7"}},
        {"Time": "2999-06-01T10:00:00", "SML": {"Total_in": 0.004, "Meter_number": "Zähler 7"}},
    ]
    bad = ("[" * 10_000, '{"SML": {"Total_in": 1e-5000000}}', '{"SML": [[]]}', '{"SML": {"Total_in": {}}}')
    async with broker.client() as client, hub_side(hub_nats, gw) as hub:
        async with gw.running() as agent:
            await agent.wait_for_line("broker connected")
            for message in (*bad, *map(json.dumps, odd)):
                await client.publish(topic, message, qos=1)
            await eventually(lambda: len(hub.of(Reading)) == 3, what="the three odd ones")
            await agent.wait_for_line("message dropped", times=len(bad))
        async with gw.running() as again:
            await client.publish(topic, json.dumps({"SML": {"Total_in": 0.005}}), qos=1)
            await eventually(lambda: len(hub.of(Reading)) == 4, what="the next")
            assert "message dropped" not in [line["event"] for line in again.lines()]
    assert [reading.import_wh for reading in hub.of(Reading)] == [2, 3, 4, 5]
    assert {declared.serial for declared in hub.of(MeterDeclared)} == {"Z?hler 7"}


async def test_a_meter_that_publishes_nothing_for_five_poll_periods_is_lost(
    hub_nats: HubNats, broker: BuildingBroker, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    gw = gateway("gw-silent", tmp_path, broker, poll_period_s=7)
    gw.enrol(hub_nats)
    clock = ManualClock(1_780_308_000_000)
    agent = agent_in_process(gw, clock)
    agent._open_broker()
    assert agent._subscriber is not None
    caplog.set_level("INFO")
    clock.advance(5 * 7_000)
    assert agent._subscriber.lost == []
    clock.advance(1)
    assert agent._subscriber.lost == agent._subscriber.lost == ["METER_011"]
    meter = MqttMeter("METER_011", "tele/gw-silent/SENSOR", "tasmota-sml")
    message = aiomqtt.Message("t", json.dumps({"SML": {"Total_in": 1}}).encode(), 1, False, 1, None)
    assert agent._subscriber._accept_message(meter, message) is not None
    assert agent._subscriber.lost == []
    assert [record.message for record in caplog.records if record.message.startswith("meter ")] == [
        "meter lost", "meter back",
    ]  # fmt: skip


def test_a_fault_of_ours_costs_one_publication_and_no_more(caplog: pytest.LogCaptureFixture) -> None:
    """Not acknowledged, it would end the agent again after every restart."""

    def accept(_reading: MeterReading) -> Future[None]:
        raise RuntimeError("a fault of ours")

    meter = MqttMeter("METER_011", "t", "tasmota-sml")
    nowhere = Broker("127.0.0.1", 1, None, None, None)
    subscriber = Subscriber(nowhere, "id", {"t": meter}, 60, SystemClock(), accept, Publications())
    message = aiomqtt.Message("t", payload(0, 1).encode(), 1, False, 1, None)
    assert subscriber._accept_message(meter, message) is None
    assert "a fault of ours" in caplog.text


def test_a_value_that_can_not_be_used_is_named_once(caplog: pytest.LogCaptureFixture) -> None:
    def accept(_reading: MeterReading) -> Future[None]:
        return asyncio.get_running_loop().create_future()

    async def take() -> None:
        meters = [MqttMeter(f"METER_01{n}", f"t/{n}", "tasmota-sml") for n in (1, 2)]
        nowhere = Broker("127.0.0.1", 1, None, None, None)
        subscriber = Subscriber(nowhere, "id", {}, 60, SystemClock(), accept, Publications())
        for meter in (meters[0], meters[0], meters[1]):
            body = b'{"SML": {"Total_in": 1, "Power_curr": [1, 2]}}'
            assert subscriber._accept_message(meter, aiomqtt.Message("t", body, 1, False, 1, None)) is not None

    asyncio.run(take())
    said = [(r.message, r.meter_id, r.value) for r in caplog.records]  # type: ignore[attr-defined]
    assert said == [("value left out", f"METER_01{n}", "Power_curr") for n in (1, 2)]


async def test_a_meter_that_nets_is_refused_once_and_is_not_called_silent(caplog: pytest.LogCaptureFixture) -> None:
    """E15: it publishes, but import and export can not be told from it."""

    def accept(_reading: MeterReading) -> Future[None]:
        return asyncio.get_running_loop().create_future()

    meter, clock = MqttMeter("METER_011", "t", "tasmota-energy"), ManualClock(1_780_308_000_000)
    nowhere = Broker("127.0.0.1", 1, None, None, None)
    subscriber = Subscriber(nowhere, "id", {"t": meter}, 60, clock, accept, Publications())

    def take(energy: str) -> None:
        body = f'{{"ENERGY": {energy}}}'.encode()
        subscriber._accept_message(meter, aiomqtt.Message("t", body, 1, False, 1, None))

    for total in (16.50, 16.45):
        clock.advance(250_000)
        take(f'{{"Total": {total}, "ExportActive": [1.2, 0, 0]}}')
    assert [(r.message, r.levelname) for r in caplog.records] == [("meter refused", "ERROR")]
    assert subscriber.lost == [] and "ImportActive" in subscriber.refused["METER_011"]
    take('{"Total": 16.45, "ExportActive": [1.2, 0, 0], "ImportActive": [17.6, 0, 0]}')
    assert subscriber.refused == {}
