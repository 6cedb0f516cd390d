"""Plays a scenario without waiting: what a poller would have read in each period, the truth of it, and the labels.

``readings.jsonl``, ``truth.jsonl`` and ``faults.jsonl`` in one folder; the same file and seed give the same bytes.
"""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TextIO
from zoneinfo import ZoneInfo

from firmware_sim.errors import ScenarioError, SimError
from firmware_sim.fleet import Fleet
from firmware_sim.power import PowerSource
from firmware_sim.scenario.answering import Answer
from firmware_sim.scenario.file import LoadedScenario
from firmware_sim.scenario.play import Label, ScenarioPlay
from firmware_sim.scenario.reading import Reader, Reading, reader_of
from firmware_sim.scenario.timeline import SiteClock, site_second
from firmware_sim.settings import Settings


@dataclass(frozen=True)
class Slot:
    """One meter at one poll: what was read (none, or several when messages repeat), and what is true."""

    meter: str
    slot_s: int
    readings: list[Reading]
    truth: dict[str, Any]


class OfflinePlay:
    """A scenario over the meters of these settings, from its start to its end.

    Raises:
        ScenarioError: it has no start, or the times of a fault do not fit.
    """

    def __init__(self, loaded: LoadedScenario, settings: Settings, source: PowerSource) -> None:
        scenario, zone = loaded.scenario, ZoneInfo(settings.site.tz)
        if scenario.start is None:
            raise ScenarioError(f"{loaded.path}: start: --offline needs it: write start = 2026-06-17T00:00:00+02:00")
        self.start_s = site_second(scenario.start, zone) - settings.sun_offset_s
        self.end_s = self.start_s + scenario.duration_s
        self._period_s = scenario.poll_period_s
        names = tuple(meter.id for meter in settings.meter)
        self._play = ScenarioPlay(loaded, SiteClock(self.start_s, settings.sun_offset_s, zone), names, settings.seed)
        self._fleet = Fleet(settings, source, {}, self.start_s, None, self._play)
        self._readers = {meter.id: reader_of(meter) for meter in settings.meter}
        self._last: dict[str, list[Reading]] = {}

    def slots(self) -> Iterator[Slot]:
        """Plays it, and yields every meter at every poll, in the order of time."""
        first_s = -(-self.start_s // self._period_s) * self._period_s
        for slot_s in range(first_s, self.end_s + 1, self._period_s):
            for meter_id, reader in self._readers.items():
                yield self._poll(meter_id, reader, slot_s)

    def labels(self) -> list[Label]:
        """Returns the faults that began until the end; complete when ``slots`` is through."""
        return self._play.labels(self.end_s)

    def _poll(self, meter_id: str, reader: Reader, slot_s: int) -> Slot:
        self._fleet.meters[meter_id].settle(slot_s)
        answer = self._fleet.answer(meter_id, slot_s)
        self._play.count_answer(meter_id, slot_s)
        truth = {} if answer.truth is None else answer.truth.fields()
        return Slot(meter_id, slot_s, self._read(meter_id, reader, answer, slot_s), truth)

    def _read(self, meter_id: str, reader: Reader, answer: Answer, slot_s: int) -> list[Reading]:
        where = {"meter": meter_id, "slot_s": slot_s}
        read_ms = {"read_ms": slot_s * 1000 + answer.late_ms}
        fresh = [{**where, **reading, **read_ms} for reading in reader(answer)]
        if not answer.retained and not answer.copies:
            self._last[meter_id] = fresh
            return fresh
        # Whoever subscribes anew for each poll first gets the message that was retained
        old = [{**reading, **where, **read_ms, "retained": True} for reading in self._last.get(meter_id, ())]
        self._last[meter_id] = fresh
        again = [{**reading, "repeated": True} for reading in fresh * answer.copies]
        return [*(old if answer.retained else ()), *fresh, *again]


def write_offline(play: OfflinePlay, folder: Path) -> dict[str, int]:
    """Plays a scenario into a folder, in place of what was there, and returns how many lines each file has.

    Raises:
        SimError: the folder can not be written.
    """
    counts = {"readings": 0, "truth": 0, "faults": 0}
    encode = json.JSONEncoder(separators=(",", ":")).encode
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            files: dict[str, TextIO] = {
                name: stack.enter_context((folder / f"{name}.jsonl").open("w", encoding="utf-8")) for name in counts
            }

            def write(name: str, fields: dict[str, Any]) -> None:
                files[name].write(encode(fields) + "\n")
                counts[name] += 1

            for slot in play.slots():
                for reading in slot.readings:
                    write("readings", reading)
                write("truth", {"meter": slot.meter, "slot_s": slot.slot_s, **slot.truth})
            for label in play.labels():
                write("faults", asdict(label))
    except OSError as error:
        raise SimError(f"{folder} can not be written ({error.strerror}): free the disk or name another") from error
    return counts
