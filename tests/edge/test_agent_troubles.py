"""The agent when something around or in it does not do its part: the disk, the state folder, a task of its own."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from edge.agent import _cancel
from edge.errors import InternalError
from edge.store.batch import Batch
from edge.wire.kinds import MeterDeclared, Reading, Start, Stop
from edge.wire.records import decode_record, encode_record
from support.servers.gateway import agent_in_process, hub_side, modbus_gateway
from support.servers.modbus_meters import Meter, meter_registers, serve_tcp
from support.servers.nats import HubNats
from support.waiting import PATIENCE_S, eventually


async def test_a_disk_that_refuses_at_the_start_costs_no_meter_its_index(hub_nats: HubNats, tmp_path: Path) -> None:
    served = Meter(meter_registers("sdm630", 1_000, 2, 3))
    async with (
        serve_tcp({1: served}) as first_port,
        serve_tcp({1: Meter(meter_registers("sdm630", 5_000, 2, 3))}) as second_port,
    ):
        gw = modbus_gateway("gw-unread", tmp_path, {"METER_001": first_port, "METER_002": second_port})
        gw.enrol(hub_nats)
        async with hub_side(hub_nats, gw) as hub:
            async with gw.running():
                await eventually(lambda: len(hub.of(Reading)) >= 4, what="readings of both")
            declared = {(d.meter_index, d.meter_id) for d in hub.of(MeterDeclared)}
            modbus_gateway("gw-unread", tmp_path, {"METER_002": second_port, "METER_001": first_port})
            ledger, away = gw.state / "ledger.sqlite", gw.state / "away"
            ledger.rename(away)
            ledger.mkdir()
            async with gw.running() as agent:
                await agent.wait_for_line("storage refuses: readings wait in memory")
                read = served.reads
                await eventually(lambda: served.reads >= read + 3, what="polls all the same")
                status = gw.run("status", "--config", gw.config, "--json").json
                assert status["memory_queue"] >= 4 and status["storage"]
                ledger.rmdir()
                away.rename(ledger)
                await eventually(lambda: len(hub.of(Start)) == 2, what="the start record")
                held = {r.slot_s for r in hub.of(Reading)}
                await eventually(lambda: len({r.slot_s for r in hub.of(Reading)} - held) >= 2, what="later readings")
    assert {(d.meter_index, d.meter_id) for d in hub.of(MeterDeclared)} == declared
    for index, meter_id in declared:
        readings = [r for r in hub.of(Reading) if r.meter_index == index]
        assert sorted(r.sequence for r in readings) == list(range(1, len(readings) + 1)), meter_id
        assert {r.import_wh for r in readings} == {1_000 if meter_id == "METER_001" else 5_000}


async def test_a_folder_that_takes_no_socket_keeps_nobody_from_polling(hub_nats: HubNats, tmp_path: Path) -> None:
    async with serve_tcp({1: Meter(meter_registers("sdm630", 1_000, 2, 3))}) as port:
        gw = modbus_gateway("gw-nosock", tmp_path, {"METER_001": port})
        gw.enrol(hub_nats)
        (gw.state / "agent.sock").mkdir()
        async with hub_side(hub_nats, gw) as hub, gw.running() as agent:
            await eventually(lambda: len(hub.of(Reading)) >= 2, what="readings")
            said = [line["event"] for line in agent.lines() if line["level"] == "warning"]
    assert said == ["no status socket: the agent runs, but `status` can not ask it"]


async def test_a_part_that_ends_by_itself_ends_the_agent_with_a_failure(hub_nats: HubNats, tmp_path: Path) -> None:
    gw = modbus_gateway("gw-fault", tmp_path, {"METER_001": 1})
    gw.enrol(hub_nats)
    agent = agent_in_process(gw)

    async def wrong() -> None:
        raise ValueError("a fault of ours")

    agent._poller.run = wrong  # type: ignore[method-assign]
    with pytest.raises(InternalError, match="a fault of ours") as caught:
        await asyncio.wait_for(agent.run(), PATIENCE_S)
    assert caught.value.exit_code != 0, "systemd restarts on failure alone"
    bodies = gw.rows("SELECT body FROM frame")
    assert b"stopped in good order" not in b"".join(body for (body,) in bodies)


async def test_a_write_that_is_under_way_at_the_end_is_not_made_twice(hub_nats: HubNats, tmp_path: Path) -> None:
    gw = modbus_gateway("gw-once", tmp_path, {"METER_001": 1})
    gw.enrol(hub_nats)
    agent = agent_in_process(gw)
    loop, begun, release = asyncio.get_running_loop(), asyncio.Event(), threading.Event()
    commit, append = agent._writer.ledger.commit, agent._writer.append

    def slow(batch: Batch) -> None:
        loop.call_soon_threadsafe(begun.set)
        release.wait(20)
        commit(batch)

    def noticing(batch: Batch) -> asyncio.Future[None]:
        if any(isinstance(decode_record(body), Stop) for body in batch.records):
            # The writer is told to end in this round of the loop
            loop.call_soon(release.set)
        return append(batch)

    agent._writer.ledger.commit = slow  # type: ignore[method-assign]
    async with agent._tasks():
        append(Batch(records=[encode_record(Start(1, "S", bytes(16), "only once", bytes(32)))]))
        await asyncio.wait_for(begun.wait(), PATIENCE_S)
        agent._writer.append = noticing  # type: ignore[method-assign]
    sealed = b"".join(body for (body,) in gw.rows("SELECT body FROM frame"))
    assert (sealed.count(b"only once"), sealed.count(b"stopped in good order")) == (1, 1)


async def test_a_cancellation_that_is_swallowed_is_repeated() -> None:
    """As wait_for does before Python 3.12 when what it waits for comes in the same moment."""

    async def deaf(times: int) -> None:
        for _ in range(times):
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                continue
        await asyncio.Event().wait()

    tasks: list[asyncio.Task[Any]] = [asyncio.create_task(deaf(times)) for times in (0, 1, 2)]
    await asyncio.sleep(0)
    ending = asyncio.create_task(_cancel(tasks))
    try:
        await asyncio.wait([ending], timeout=PATIENCE_S)
        assert all(task.cancelled() for task in tasks)
    finally:
        for _ in range(3):
            for task in (*tasks, ending):
                task.cancel()
            await asyncio.wait([*tasks, ending], timeout=0.1)
