"""Scenario files: those that are shipped play and are labelled, the same bytes each time; a wrong one is explained."""

import json
import os
import re
import subprocess
import textwrap
from datetime import datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from firmware_sim.cli import main
from firmware_sim.errors import ScenarioError
from firmware_sim.offline import OfflinePlay
from firmware_sim.scenario.file import LoadedScenario, load_scenario, shipped
from firmware_sim.scenario.kinds import KINDS
from firmware_sim.scenario.timeline import SiteClock
from firmware_sim.settings import load_settings
from support.servers.simulator import SIM, SteadyPower
from support.tree import ROOT

CAMPUS = load_settings().meter
CHAPTER = (ROOT / "docs" / "simulator.md").read_text()
HEAD = "start = 2026-06-17T10:00:00+02:00\nduration_s = 1200\n"


def load(tmp_path: Path, text: str) -> LoadedScenario:
    path = tmp_path / "faults.toml"
    path.write_text(text)
    return load_scenario(str(path), CAMPUS)


def test_a_scenario_of_every_kind_is_shipped() -> None:
    loaded = [load_scenario(name, CAMPUS).scenario for name in shipped()]
    assert set(KINDS) - {fault.kind for scenario in loaded for fault in scenario.fault} == set()
    for scenario in loaded:
        assert scenario.about.endswith(".")
        assert scenario.start is not None
    fortnight = load_scenario("fortnight", CAMPUS).scenario
    assert fortnight.duration_s * len(CAMPUS) / 86_400 >= 200, "meter-days"


class TurningPower:
    """Imports 3.6 kW for ten minutes, then exports 7.2 kW for ten minutes, and so on."""

    def segment(self, meter_id: str, site_s: int) -> tuple[int, int]:
        del meter_id
        turn, after_s = site_s // 600, (site_s // 600 + 1) * 600
        return (-7200 if turn % 2 else 3600), after_s


@pytest.mark.parametrize("name", sorted(set(shipped()) - {"fortnight"}))
def test_each_shipped_scenario_plays_and_its_faults_change_what_is_read(name: str) -> None:
    """Beside a play without faults: a fault shows in its meter's readings, and in no other's."""
    loaded = load_scenario(name, CAMPUS)
    named = {meter for fault in loaded.scenario.fault for meter in (*fault.meters, fault.of)}
    few = tuple(meter for meter in CAMPUS if meter.id in named | {"METER_008"})
    settings = load_settings().model_copy(update={"meter": few})
    sound = LoadedScenario(loaded.path, "", loaded.scenario.model_copy(update={"fault": ()}))
    faulty, honest = (OfflinePlay(each, settings, TurningPower()) for each in (loaded, sound))
    differing = {
        one.meter
        for one, other in zip(faulty.slots(), honest.slots(), strict=True)
        if one.readings != other.readings or one.truth != {**other.truth, "faults": one.truth["faults"]}
    }
    labels = faulty.labels()
    assert {label.fault for label in labels} == set(loaded.scenario.names)
    # A second connection is refused where nobody reads, and the frequency is not among these readings
    unseen = {"single-connection": {"METER_002"}, "refused-registers": {"METER_001"}}.get(name, set())
    assert differing == {label.meter for label in labels} - unseen


def test_the_same_file_and_seed_give_the_same_bytes(tmp_path: Path, cache_dir: Path) -> None:
    out = [tmp_path / part for part in ("one", "two", "three")]
    for folder, seed, hash_seed in zip(out, ("1", "1", "2"), ("1", "42", "1"), strict=True):
        subprocess.run(
            [SIM, "scenario", "zeros", "--offline", folder, "--seed", seed, "--cache-dir", cache_dir],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            check=True,
            capture_output=True,
        )
    for name in ("readings.jsonl", "truth.jsonl", "faults.jsonl"):
        first, second, third = ((folder / name).read_bytes() for folder in out)
        assert first == second
        assert (first == third) is (name == "faults.jsonl")
    readings = [json.loads(line) for line in (out[0] / "readings.jsonl").read_text().splitlines()]
    assert [r["slot_s"] for r in readings if r.get("import_wh") == 0] == [1781684400, 1781685300]
    faults = [json.loads(line) for line in (out[0] / "faults.jsonl").read_text().splitlines()]
    assert [(f["meter"], f["kind"], f["answers"]) for f in faults] == [
        ("METER_012", "silence", 1), ("METER_012", "zeros", 1), ("METER_002", "zeros", 1),
    ]  # fmt: skip


FAULT = '[[fault]]\nkind = "{}"\nmeters = ["{}"]\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("about = \n", r"faults.toml is not TOML: .*line 1"),
        ("fault = 5", r"faults.toml: fault: Input should be a valid"),
        ("begin = 5", r"faults.toml: begin: Extra inputs are not permitted"),
        ("start = 5", r"faults.toml: start: 5 is no date and time: write it without quotes"),
        (
            "start = 0001-01-01T00:00:00",
            r"start: the year 1 is not from 1971 to 2099, for which sun and loads are known",
        ),
        (FAULT.format("zero", "METER_001"), r"faults.toml: fault 1: kind: Input should be 'frozen'"),
        (FAULT.format("zeros", "METER_099"), r"fault zeros-1: there is no meter 'METER_099': configured are METER_001"),
        ('[[fault]]\nkind = "zeros"\n', r"faults.toml: fault 1: meters: Field required"),
        (
            FAULT.format("zeros", "METER_001") + "at_s = -1",
            r"fault 1: at_s: Input should be greater than or equal to 0",
        ),
        (
            FAULT.format("zeros", "METER_001") + 'at = "noon"',
            r"fault 1: at: 'noon' is no time: write it without quotes",
        ),
        (
            FAULT.format("zeros", "METER_001") + "late_ms = 5",
            r"kind zeros takes no late_ms: it takes no key of its own",
        ),
        (FAULT.format("reset", "METER_001") + "watts = 5", r"takes no watts: it takes export_wh, import_wh, registers"),
        (FAULT.format("late", "METER_001"), r"fault 1: a fault of kind late needs late_ms"),
        (FAULT.format("clock", "METER_012"), r"fault 1: a fault of kind clock needs one of offset_s, uptime, zone"),
        (
            FAULT.format("clock", "METER_001") + "offset_s = 5",
            r"METER_001 is a meter on tcp; kind clock needs one on mqtt",
        ),
        (FAULT.format("clock", "METER_012") + 'zone = "Mars"', r"fault 1: zone: 'Mars' is not a time zone"),
        (FAULT.format("head", "METER_014") + 'head = "A"', r"METER_014 is a shelly-gen2; kind head needs a tasmota"),
        (
            FAULT.format("zeros", "METER_001") + "at_s = 5\nat = 10:00:00",
            r"at_s and at are both given: leave all but one",
        ),
        (FAULT.format("zeros", "METER_001") + "for_s = 5\nanswers = 1", r"for_s and answers are both given"),
        (FAULT.format("reset", "METER_001") + "for_s = 5", r"kind reset happens once: leave for_s out"),
        (FAULT.format("frozen", "METER_001") + "answers = 5", r"kind frozen ends by for_s or until"),
        (
            FAULT.format("zeros", "METER_001") + 'after = "x"',
            r"fault zeros-1 waits for 'x', and no fault has this name",
        ),
        (FAULT.format("zeros", "METER_001") + 'after = "zeros-1"', r"these faults wait for each other: zeros-1"),
        (FAULT.format("value", "METER_001") + 'quantities = ["power"]\nshows = "null"', r"tcp can not show null: use"),
        (2 * (FAULT.format("zeros", "METER_001") + 'name = "a"\n'), r"two faults have the name a: give one of them"),
    ],
)
def test_a_wrong_file_is_explained(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        load(tmp_path, text)


def named(kind: str, name: str, rest: str, meter: str = "METER_001") -> str:
    return f'{FAULT.format(kind, meter)}name = "{name}"\n{rest}\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (named("zeros", "a", "at = 2026-06-17T09:00:00"), r"fault a: it begins 3600 s before the scenario's start"),
        (
            named("rollover", "a", "width_wh = 1000\nat = 2098-01-01T00:00:00"),
            r"fault a: it begins more than 34560000 s",
        ),
        (
            named("zeros", "a", 'at_s = 9\nuntil = "b"') + named("silence", "b", "at_s = 5"),
            r"fault a: it ends 4 s before it begins: change until",
        ),
        (
            named("zeros", "a", "answers = 1") + named("reset", "b", 'after = "a"'),
            r"fault b: its times depend on how many answers come, which kind reset can not wait for",
        ),
        (
            named("zeros", "a", "for_s = 1") + named("silence", "b", 'after = "a"', "METER_002"),
            r"fault b: METER_002 does not have the fault a: add it to its meters",
        ),
    ],
)
def test_times_that_do_not_fit_are_explained(tmp_path: Path, text: str, message: str) -> None:
    loaded = load(tmp_path, HEAD + text)
    with pytest.raises(ScenarioError, match=message):
        OfflinePlay(loaded, load_settings(), SteadyPower(0))


def test_a_time_of_day_is_the_next_one_at_the_site() -> None:
    zone = ZoneInfo("Europe/Berlin")
    start_s = int(datetime(2026, 10, 24, 10, tzinfo=zone).timestamp())
    clock = SiteClock(start_s - 77, 77, zone)
    hours = {time(10): 0, time(10, 30): 0.5, time(9): 24, time(2): 16}
    for moment, after_h in hours.items():
        assert clock.wall_s(moment) == start_s - 77 + after_h * 3600, (
            "the hour from two to three comes twice that night"
        )


def run(*args: str | Path) -> tuple[int, str]:
    done = subprocess.run([SIM, *args], capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stderr


def test_what_can_not_be_played_is_said_in_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "none.toml").write_text(FAULT.format("zeros", "METER_001"))
    wrong: list[tuple[list[str | Path], int, str]] = [
        (["scenario", "zeroes"], 78, "There is no scenario zeroes: `peerwatt-sim list` shows them, or name a file"),
        (["run", "--scenario", tmp_path], 78, "can not be read (Is a directory): name a TOML file"),
        (["scenario", tmp_path / "no.toml"], 78, "no.toml can not be read (No such file or directory)"),
        (["scenario", tmp_path / "none.toml", "--offline", tmp_path], 78, "start: --offline needs it"),
        (["scenario", "zeros", "--offline", tmp_path / "none.toml"], 1, "none.toml can not be written"),
    ]
    for args, code, message in wrong:
        returned, said = run(*args)
        assert (returned, message in said, "Traceback" in said) == (code, True, False), said


def test_list_shows_them_for_programs_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--json"]) == 0
    shown: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert set(shown) == set(shipped())


def test_the_chapter_has_a_row_for_each_kind() -> None:
    for name, kind in KINDS.items():
        assert f"| `{name}` | {kind.does} |" in CHAPTER
        (row,) = [line for line in CHAPTER.splitlines() if line.startswith(f"| `{name}` |")]
        assert {key.strip("*` ") for key in row.split("|")[3].split(",")} - {"none"} == kind.keys


def test_the_chapter_s_example_is_a_scenario(tmp_path: Path) -> None:
    (block,) = re.findall(r"\n\n((?:    .*\n|\n)*?    about = (?:    .*\n|.*\n|\n)*?)\n`peerwatt", CHAPTER)
    loaded = load(tmp_path, textwrap.dedent(block))
    assert loaded.scenario.names == ("works", "swap-2", "zeros-3")
