"""A meter is proven to be what the configuration says before anything of it is signed."""

import asyncio
from pathlib import Path

import pytest

from edge.errors import MeterTimeoutError, ProbeError
from edge.meters.endpoints import parse_endpoint
from edge.meters.meter import ModbusMeter
from edge.meters.modbus import Bus
from edge.meters.probes import fits
from edge.meters.profile import Check, load_profile, profile_names
from edge.meters.readings import MeterReading
from edge.poller import Poller
from edge.runtime.clock import ManualClock, SystemClock
from edge.wire.kinds import MeterDeclared, Reading
from support.servers.gateway import Gateway, hub_side
from support.servers.modbus_meters import Meter, meter_registers, serve_tcp, words
from support.servers.nats import HubNats
from support.servers.simulator import running as simulator
from support.waiting import eventually


def meter(profile: str, port: int) -> ModbusMeter:
    endpoint = parse_endpoint(f"tcp://127.0.0.1:{port}")
    return ModbusMeter("METER_001", load_profile(profile), endpoint, Bus(endpoint), (), 60_000)


@pytest.mark.parametrize("served", profile_names())
async def test_no_meter_passes_for_another(served: str) -> None:
    """Registers by a second reading of the manuals."""
    async with serve_tcp({1: Meter(meter_registers(served, 1_000, 200, 7))}) as port:
        for profile in profile_names():
            read = meter(profile, port)
            if profile == served:
                assert (await read.read(0, SystemClock())).import_wh == 1_000
            else:
                says = rf"^this answers like an? {served.upper()}, the configuration says {profile.upper()}$"
                with pytest.raises(ProbeError, match=says):
                    await read.read(0, SystemClock())
            read.bus.close()


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({0x00: words(0.4, "FLOAT32")}, "voltage is 0.4, 0, 0"), ({0x46: words(0, "FLOAT32")}, "frequency is 0$"),
        ({0x46: words(float("inf"), "FLOAT32")}, "frequency is not available"),
    ],
)  # fmt: skip
async def test_what_answers_like_nothing_that_is_known_is_named_by_what_is_wrong(
    wrong: dict[int, list[int]], says: str
) -> None:
    async with serve_tcp({1: Meter(meter_registers("sdm630", 1_000, 2, 7) | wrong)}) as port:
        read = meter("sdm630", port)
        with pytest.raises(ProbeError, match=f"^this does not answer like an SDM630: {says}"):
            await read.read(0, SystemClock())
        read.bus.close()


async def test_one_phase_with_voltage_is_enough() -> None:
    served = Meter(meter_registers("sdm630", 1_000, 2, 7) | {0: [0, 0], 4: words(231, "FLOAT32")})
    async with serve_tcp({1: served}) as port:
        read = meter("sdm630", port)
        assert (await read.read(0, SystemClock())).import_wh == 1_000
        read.bus.close()


def test_a_check_has_bounds_and_values() -> None:
    bounds = Check(name="voltage", addresses=(0,), type="f32", lowest=80, highest=300)
    assert [fits(bounds, value) for value in (79, 80, 300, 301)] == [False, True, True, False]  # type: ignore[arg-type]
    model = Check(name="model", addresses=(0,), type="u16", one_of=(7, 8), none_of=(8,))
    assert [fits(model, value) for value in (6, 7, 8)] == [False, True, False]  # type: ignore[arg-type]
    text = Check(name="model", addresses=(0,), type="text", registers=4, begins="iEM3")
    assert (fits(text, "iEM3155"), fits(text, "EM3155"), text.count) == (True, False, 4)


def test_every_profile_that_comes_with_the_agent_is_proven() -> None:
    assert [name for name in profile_names() if not load_profile(name).probe] == []


async def test_it_is_proven_once_and_again_after_a_loss(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "edge")
    sdm630 = meter_registers("sdm630", 1_000, 2, 7)
    served, clock, accepted = Meter(dict(sdm630)), ManualClock(1_780_000_000_000), list[MeterReading]()
    async with serve_tcp({1: served}) as port:
        read = meter("sdm630", port)
        poller = Poller([read], 10, clock, accepted.append)
        (polled,) = poller._buses.values()
        await poller.poll_bus(polled, 1)
        asked = len(served.asked)
        await poller.poll_bus(polled, 2)
        assert len(served.asked) - asked == 2, "the serial number and a block"
        served.registers |= {0: [0x08FC, 0]}
        await poller.poll_bus(polled, 3)
        assert (len(accepted), poller.refused) == (3, {}), "what is proven is not asked again"
        served.registers |= {0x48: words(float("nan"), "FLOAT32")}
        await poller.poll_bus(polled, 4)
        served.registers.update(sdm630 | {0: [0x08FC, 0]})
        for _ in range(2):
            clock.advance(300_000)
            await poller.poll_bus(polled, 5)
        assert poller.lost == ["METER_001"] and "this does not answer like an SDM630" in poller.refused["METER_001"]
        served.registers.update(sdm630)
        clock.advance(300_000)
        await poller.poll_bus(polled, 6)
        read.bus.close()
    assert (len(accepted), poller.lost, poller.refused) == (4, [], {})
    assert [record.message for record in caplog.records] == ["meter lost", "meter refused", "meter back"]


async def test_a_meter_that_does_not_answer_is_not_refused() -> None:
    async with serve_tcp({1: Meter(meter_registers("sdm630", 1_000, 2, 7), delay_s=9)}) as port:
        read = meter("sdm630", port)
        with pytest.raises(MeterTimeoutError):
            await read.read(0, SystemClock())
        read.bus.close()


async def test_a_wrong_profile_signs_nothing_of_a_meter(hub_nats: HubNats, tmp_path: Path) -> None:
    """E13, against the simulator: of each pair the right profile is recorded, and the wrong one is refused."""
    served = {"METER_1": ("em340", "sdm630"), "METER_2": ("sdm630", "em340"), "METER_3": ("sdm630", "sdm120")}
    site, replay = tmp_path / "sim.toml", tmp_path / "replay.csv"
    site.write_text("".join(f'[[meter]]\nid = "{name}"\nprofile = "{simulated}"\ntransport = "tcp"\n'
                            for name, (simulated, _) in served.items()))  # fmt: skip
    replay.write_text("time,METER_1,METER_2,METER_3\n2026-06-17T10:00:00Z,1000,1000,1000\n"
                      "2026-06-17T10:00:05Z,1000,1000,1000\n")  # fmt: skip
    async with simulator("--config", site, "--replay", replay) as sim:
        urls = {name: f"tcp://{at['host']}:{at['port']}?device={at['device']}" for name, at in sim.meters.items()}
        right = Gateway("gw-right", tmp_path / "right", [
            {"id": name, "profile": simulated, "url": urls[name]} for name, (simulated, _) in served.items()
        ])  # fmt: skip
        wrong = Gateway("gw-wrong", tmp_path / "wrong", [
            {"id": name, "profile": configured, "url": urls[name]} for name, (_, configured) in served.items()
        ])  # fmt: skip
        for gw in (right, wrong):
            gw.folder.mkdir()
            gw.write_config()
            gw.enrol(hub_nats)
        async with hub_side(hub_nats, right) as hub, right.running():
            await eventually(lambda: len(hub.of(MeterDeclared)) == 3, what="readings of all three")
        async with hub_side(hub_nats, wrong) as hub, wrong.running() as agent:
            await agent.wait_for_line("meter refused", times=3)
            status = await asyncio.to_thread(wrong.run, "status", "--config", wrong.config, "--json")
        assert hub.of(Reading) == hub.of(MeterDeclared) == []
    reasons = {
        name: f"this answers like an {simulated.upper()}, the configuration says {configured.upper()}"
        for name, (simulated, configured) in served.items()
    }
    assert {line["meter_id"]: line["reason"] for line in agent.lines() if line["event"] == "meter refused"} == reasons
    assert status.json["troubles"] == reasons
