"""Every key of a scenario file does what it says: each has a proof here that plays a fault with it, without waiting.

A steady 3,600 W is 1 Wh a second, so that registers and times can be compared by heart.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from firmware_sim.offline import OfflinePlay, Slot
from firmware_sim.scenario.file import LoadedScenario, Scenario
from firmware_sim.scenario.kinds import KINDS
from firmware_sim.settings import load_settings
from support.servers.simulator import SteadyPower
from support.settings_proofs import SettingsProofs

PROOFS = SettingsProofs(Scenario)
proves = PROOFS.proves
START = datetime(2026, 6, 17, 8, tzinfo=UTC)
START_S = int(START.timestamp())
SITE = {"name": "Test field", "latitude": 50, "longitude": 10, "altitude_m": 0, "tz": "Europe/Berlin"}


def test_every_key_has_a_proof() -> None:
    PROOFS.check()


def played(
    *faults: dict[str, Any], watts: int = 3600, profile: str = "iem3155", sun_offset_s: int = 0, **scenario: Any
) -> dict[int, Slot]:
    """Plays faults on the meter M beside another, O; returns what M had, by seconds from the start."""
    kind = {"transport": "mqtt"} if profile.startswith(("tasmota", "shelly")) else {"transport": "tcp"}
    meters = [{"id": name, "profile": profile, **kind} for name in ("M", "O")]
    settings = load_settings(site=SITE, meter=meters)
    settings = settings.model_copy(update={"sun_offset_s": sun_offset_s})
    content = {"start": START, "duration_s": 600, "fault": [{"meters": ["M"], **fault} for fault in faults], **scenario}
    play = OfflinePlay(
        LoadedScenario(Path("x.toml"), "", Scenario.model_validate(content)), settings, SteadyPower(watts)
    )
    return {slot.slot_s - START_S + sun_offset_s: slot for slot in play.slots() if slot.meter == "M"}


def shown(slots: dict[int, Slot], key: str = "import_wh") -> list[Any]:
    """Returns one value of each poll's first reading, energy as what came since the start; None: there was none."""
    values = [slot.readings[0].get(key) for slot in slots.values()]
    if not key.endswith("_wh"):
        return values
    return [None if value is None else value - values[0] for value in values]


def true(slots: dict[int, Slot], key: str) -> list[int]:
    values = [slot.truth[key] for slot in slots.values()]
    return [value - values[0] for value in values]


def answers(slots: dict[int, Slot]) -> list[str]:
    return [slot.readings[0]["answer"] for slot in slots.values()]


STEADY = [60 * n for n in range(11)]


@proves("Scenario.start", "Scenario.duration_s", "Scenario.poll_period_s")
def test_a_scenario_plays_from_its_start_for_its_duration_in_its_period() -> None:
    slots = played(duration_s=600, poll_period_s=60)
    assert list(slots) == STEADY == shown(slots) == true(slots, "flowed_import_wh") == true(slots, "counted_import_wh")
    assert list(played(duration_s=90, poll_period_s=30)) == [0, 30, 60, 90]
    assert {slot.slot_s for slot in slots.values()} == {START_S + n for n in STEADY}


@proves("Scenario.about")
def test_a_scenario_says_what_it_shows(capsys: pytest.CaptureFixture[str]) -> None:
    from firmware_sim.cli import main

    assert main(["list"]) == 0
    assert "rollover             Registers roll over at 2^32, 10^6 and 10^8 Wh.\n" in capsys.readouterr().out


@proves("Fault.kind", "Fault.name", "Fault.meters", "Fault.at_s", "Fault.for_s")
def test_a_fault_is_there_from_its_begin_for_its_time_and_has_its_label() -> None:
    slots = played({"kind": "silence", "name": "nobody", "at_s": 120, "for_s": 120})
    assert answers(slots) == ["ok", "ok", "silent", "silent", *["ok"] * 7]
    assert [slot.truth["faults"] for slot in slots.values()] == [[], [], ["nobody"], ["nobody"], *[[]] * 7]
    assert true(slots, "counted_import_wh") == STEADY
    assert played({"kind": "silence", "at_s": 0, "meters": ["O"]})[0].readings[0]["answer"] == "ok"


@proves("Fault.at")
def test_a_fault_may_begin_at_a_time_of_the_site() -> None:
    """It is 10:00 there at the start."""
    at = datetime(2026, 6, 17, 10, 2)  # noqa: DTZ001 - local at the site
    for moment in (at, at.time(), at.replace(hour=8, tzinfo=UTC)):
        assert answers(played({"kind": "silence", "at": moment, "for_s": 60})) == ["ok", "ok", "silent", *["ok"] * 8]
    assert "silent" not in answers(played({"kind": "silence", "at": at.replace(minute=1, hour=9).time()}))


@proves("Fault.after", "Fault.until", "Fault.answers")
def test_faults_wait_for_each_other_and_for_answers() -> None:
    slots = played(
        {"kind": "silence", "name": "reboot", "at_s": 60, "until": "back"},
        {"kind": "exception", "name": "back", "at_s": 180, "answers": 3, "code": 4},
        {"kind": "exception", "after": "back", "for_s": 60, "code": 6},
    )
    assert answers(slots) == ["ok", *["silent"] * 2, *["exception 4"] * 3, "exception 6", *["ok"] * 4]


@proves("Fault.registers", "Fault.catches_up")
def test_a_frozen_register_counts_nothing_or_shows_it_afterwards() -> None:
    slots = played({"kind": "frozen", "at_s": 60, "for_s": 120})
    assert shown(slots) == true(slots, "counted_import_wh") == [0, 60, 60, *range(60, 481, 60)]
    assert true(slots, "flowed_import_wh") == STEADY
    assert shown(played({"kind": "frozen", "at_s": 60, "registers": "export"})) == STEADY
    slots = played({"kind": "frozen", "at_s": 60, "for_s": 120, "catches_up": True})
    assert shown(slots) == [0, 60, 60, *STEADY[3:]]
    assert true(slots, "counted_import_wh") == STEADY


@proves("Fault.phases", "Fault.watts")
def test_what_is_counted_the_wrong_way_is_in_the_truth_both_as_it_flowed_and_as_it_was_counted() -> None:
    slots = played({"kind": "reversed_ct", "at_s": 60})
    assert (shown(slots)[-1], shown(slots, "export_wh")[-1]) == (60, 540)
    assert (true(slots, "flowed_import_wh")[-1], true(slots, "counted_export_wh")[-1]) == (600, 540)
    slots = played({"kind": "reversed_ct", "phases": 1})
    assert (shown(slots)[-1], shown(slots, "export_wh")[-1]) == (400, 200), "both registers rise"
    assert shown(slots, "active_power_w") == [1200] * 11
    slots = played({"kind": "false_export", "at_s": 300, "watts": 7200})
    assert (shown(slots)[-1], shown(slots, "export_wh")[-1], true(slots, "flowed_export_wh")[-1]) == (300, 600, 0)


@proves("Fault.flows", "Fault.save_period_s")
def test_after_a_power_cut_registers_stand_where_they_were_saved() -> None:
    slots = played({"kind": "power_cut", "at_s": 130, "for_s": 60, "save_period_s": 100})
    assert answers(slots) == ["ok", "ok", "ok", "silent", *["ok"] * 7]
    after = [value for value in shown(slots)[4:] if value is not None]
    saved_s = (START_S + 130) // 100 * 100 - START_S
    assert after == [saved_s + 50 + 60 * n for n in range(7)]
    assert true(slots, "counted_import_wh")[-1] == true(slots, "flowed_import_wh")[-1] == 540
    flowing = played({"kind": "power_cut", "at_s": 130, "for_s": 60, "flows": True})
    assert true(flowing, "flowed_import_wh")[-1] == 600
    assert true(flowing, "counted_import_wh")[-1] == shown(flowing)[-1] == 540


@proves("Fault.import_wh", "Fault.export_wh", "Fault.new_serial")
def test_displays_that_are_set_go_on_from_there_and_the_count_goes_on() -> None:
    reset = played({"kind": "reset", "at_s": 90, "export_wh": 7})
    assert [s.readings[0]["import_wh"] for s in reset.values()][2:] == [30 + 60 * n for n in range(9)]
    assert reset[600].readings[0]["export_wh"] == 7
    assert true(reset, "counted_import_wh") == STEADY
    assert shown(played({"kind": "jump", "at_s": 90, "import_wh": 52_000_000}))[2:4] == [52_000_120, 52_000_180]
    swap = played({"kind": "swap", "at_s": 90, "import_wh": 54_000_000})
    assert swap[120].readings[0]["import_wh"] == 54_000_030
    assert swap[60].readings[0]["serial"] != swap[120].readings[0]["serial"] == swap[600].readings[0]["serial"]
    same = played({"kind": "swap", "at_s": 90, "new_serial": False})
    assert len({slot.readings[0]["serial"] for slot in same.values()}) == 1
    assert shown(same)[2] != 120


@proves("Fault.width_wh", "Fault.registers")
@pytest.mark.parametrize("width_wh", [2**32, 10**6, 10**8])
def test_a_register_rolls_over_at_its_width_in_its_moment(width_wh: int) -> None:
    slots = played({"kind": "rollover", "at_s": 90, "width_wh": width_wh, "registers": "import"})
    assert [slot.readings[0]["import_wh"] for slot in slots.values()][:4] == [width_wh - 91, width_wh - 31, 29, 89]
    assert true(slots, "counted_import_wh") == STEADY
    export = played({"kind": "rollover", "at_s": 90, "width_wh": width_wh, "registers": "export"}, watts=-3600)
    assert [slot.readings[0]["export_wh"] for slot in export.values()][1:3] == [width_wh - 31, 29]


@proves("Fault.import_wh", "Fault.export_wh", "Fault.answers", "Fault.of", "Fault.new_serial")
def test_wrong_answers_are_only_answers() -> None:
    zeros = played({"kind": "zeros", "at_s": 60, "answers": 2})
    assert [r.readings[0]["import_wh"] == 0 for r in zeros.values()] == [False, True, True, *[False] * 8]
    assert zeros[60].readings[0] == {**zeros[60].readings[0], "export_wh": 0, "active_power_w": 0, "serial": ""}
    assert shown(zeros)[3:] == STEADY[3:]
    misread = played({"kind": "misread", "at_s": 60, "answers": 1, "import_wh": 4000, "export_wh": 5})
    assert shown(misread)[:3] == [0, 4060, 120]
    assert shown(misread, "export_wh")[:3] == [0, 5, 0]
    constant = played({"kind": "constant", "at_s": 60, "answers": 1, "import_wh": 2**63 - 1})
    assert constant[60].readings[0]["import_wh"] == 2**63 - 1
    for new_serial in (True, False):
        other = played({"kind": "other_meter", "of": "O", "at_s": 60, "answers": 1, "new_serial": new_serial})
        assert (other[60].readings[0]["serial"] == other[0].readings[0]["serial"]) is not new_serial
        assert shown(other)[1] != 60
        assert shown(other)[2] == 120


@proves("Fault.percent", "Fault.watts", "Fault.number", "Fault.profile")
def test_other_quantities_may_be_wrong_while_the_registers_go_on() -> None:
    assert set(shown(played({"kind": "power", "percent": 10}), "active_power_w")) == {360}
    assert set(shown(played({"kind": "power", "watts": 5000}), "active_power_w")) == {5000}
    serial = played({"kind": "serial", "at_s": 60, "for_s": 60, "number": 12345678})
    assert [s == "12345678" for s in shown(serial, "serial")] == [False, True, *[False] * 9]
    drawn = played({"kind": "serial", "at_s": 60, "for_s": 60})
    assert len(set(shown(drawn, "serial"))) == 2
    assert shown(serial) == shown(drawn) == STEADY
    wrong = played({"kind": "wrong_profile", "at_s": 60, "for_s": 60, "profile": "em340"}, profile="sdm630")
    assert wrong[60].readings[0]["import_wh"] != wrong[0].readings[0]["import_wh"] + 60
    swapped = played({"kind": "word_order", "at_s": 60, "for_s": 60}, profile="sdm630")
    assert swapped[60].readings[0]["import_wh"] != swapped[0].readings[0]["import_wh"] + 60
    assert shown(swapped)[2:] == STEADY[2:]


@proves("Fault.quantities", "Fault.shows", "Fault.code")
def test_a_value_may_be_no_number_or_refused() -> None:
    for shows in ("nan", "not_available", "lowest"):
        slots = played({"kind": "value", "at_s": 60, "for_s": 60, "quantities": ["power", "export"], "shows": shows})
        assert shown(slots, "active_power_w") == [3600, None, *[3600] * 9]
        assert slots[60].readings[0]["export_wh"] is None
        assert shown(slots) == STEADY
    for shows, text in (("null", "null"), ("nan", "NaN"), ("text", '"n/a"'), ("array", "[3600,0,0]"), ("missing", "")):
        fault = {"kind": "value", "quantities": ["power"], "shows": shows}
        reading = played(fault, profile="tasmota-sml")[60].readings[0]
        assert reading["active_power_w"] is None
        assert (f'"Power_curr":{text},' in reading["payload"]) == (shows != "missing")
    refused = {"kind": "exception", "at_s": 60, "for_s": 60, "code": 2}
    assert answers(played(refused))[:3] == ["ok", "exception 2", "ok"]
    slots = played({**refused, "quantities": ["power"]})
    assert shown(slots, "active_power_w") == [3600, None, *[3600] * 9]
    assert shown(slots) == STEADY


def clock_ms(slots: dict[int, Slot]) -> list[int]:
    return [reading["payload_ms"] // 1000 - START_S for slot in slots.values() for reading in slot.readings]


@proves("Fault.offset_s", "Fault.zone", "Fault.uptime")
@pytest.mark.parametrize("profile", ["tasmota-sml", "tasmota-energy", "shelly-gen2"])
def test_a_device_s_clock_may_be_wrong(profile: str) -> None:
    def times(**fault: Any) -> list[int]:
        return clock_ms(played({"kind": "clock", "at_s": 60, "for_s": 60, **fault}, profile=profile))

    assert times(offset_s=-18_000)[:3] == [0, 60 - 18_000, 120]
    assert times(zone="America/New_York")[:3] == [0, 60 - 4 * 3600, 120]
    assert times(uptime=True)[:3] == [0, -START_S, 120]
    assert times(offset_s=220_000_000_000)[1] == 60 + 220_000_000_000


def test_the_hour_that_comes_twice_comes_twice() -> None:
    start = datetime(2026, 10, 25, 0, 57, tzinfo=UTC)
    for sun_offset_s, hour in ((0, 2), (5 * 3600, 21)):
        slots = played(
            {"kind": "clock", "zone": "Europe/Berlin"}, profile="tasmota-sml", start=start, sun_offset_s=sun_offset_s
        )
        texts = [json.loads(slot.readings[0]["payload"])["Time"][11:16] for slot in slots.values()]
        assert texts[:5] == [f"{hour:02}:{minute}" for minute in ("57", "58", "59", "00", "01")]


@proves("Fault.copies", "Fault.late_ms", "Fault.head", "Fault.unit")
def test_answers_may_come_several_times_late_under_another_name_or_not() -> None:
    repeated = played({"kind": "repeat", "copies": 2}, profile="tasmota-sml")[60].readings
    assert len(repeated) == 3 and len({reading["payload"] for reading in repeated}) == 1
    assert [reading.get("repeated", False) for reading in repeated] == [False, True, True]
    retained = played({"kind": "retained", "at_s": 60}, profile="tasmota-sml")[60].readings
    assert [(reading.get("retained"), reading["payload_ms"] // 1000 - START_S) for reading in retained] == [
        (True, 0), (None, 60),
    ]  # fmt: skip
    late = played({"kind": "late", "at_s": 60, "late_ms": 55_000})
    assert late[60].readings[0]["read_ms"] == (START_S + 60) * 1000 + 55_000
    assert shown(late) == STEADY
    head = played({"kind": "head", "head": "MT691"}, profile="tasmota-sml")[60].readings[0]
    assert '"MT691":{' in head["payload"] and head["import_wh"] is None
    parts = [
        list(json.loads(r["payload"])["params"])[1]
        for r in played({"kind": "split"}, profile="shelly-gen2")[0].readings
    ]
    assert parts == ["em:0", "emdata:0"]
    for kind, expected in BROKEN:
        assert answers(played({"kind": kind, "at_s": 60, "for_s": 60}))[:3] == ["ok", expected, "ok"]
    assert answers(played({"kind": "wrong_unit", "unit": 1}))[0] == "ok", "it is its own"
    assert answers(played({"kind": "offline"}, profile="shelly-gen2"))[0] == "silent"


BROKEN = [("wrong_unit", "wrong_unit"), ("truncated", "truncated"), ("crc_error", "crc_error")]


def test_export_runs_a_netting_register_backwards() -> None:
    slots = played({"kind": "netting", "at_s": 60}, watts=-3600, profile="tasmota-sml")
    assert shown(slots) == [0, *(-60 * n for n in range(10))]
    assert shown(slots, "export_wh") == true(slots, "counted_export_wh") == STEADY
    energy = played({"kind": "netting"}, watts=-3600, profile="tasmota-energy")[60].readings[0]
    assert json.loads(energy["payload"])["ENERGY"]["ExportActive"][1:] == [0, 0]


def test_every_kind_is_played_here_or_served_in_its_own_test() -> None:
    text = Path(__file__).read_text()
    assert [kind for kind in KINDS if f'"{kind}"' not in text and kind != "single_connection"] == []


def test_a_register_that_stands_still_rolls_over_when_it_moves_again() -> None:
    slots = played(
        {"kind": "frozen", "at_s": 30, "for_s": 300},
        {"kind": "rollover", "at_s": 120, "width_wh": 10**6, "registers": "import"},
    )
    assert [slot.readings[0]["import_wh"] for slot in slots.values()][4:7] == [999_999, 999_999, 29]
