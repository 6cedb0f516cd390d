"""When each fault is active on one meter: begins and ends become wall-clock seconds, some only as answers come."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from firmware_sim.errors import ScenarioError
from firmware_sim.scenario.file import MAX_S, Fault, LoadedScenario


@dataclass(frozen=True)
class SiteClock:
    """The scenario's start (wall clock, s since 1970), the seconds from wall clock to site time, and the zone there."""

    start_s: int
    sun_offset_s: int
    zone: ZoneInfo

    def wall_s(self, moment: datetime | time) -> int:
        """Returns the wall-clock second of a site time; of a time of day the next one from the start on."""
        if isinstance(moment, datetime):
            return site_second(moment, self.zone) - self.sun_offset_s
        first = datetime.fromtimestamp(self.start_s + self.sun_offset_s, self.zone).date()
        days = (datetime.combine(first + timedelta(days=ahead), moment, self.zone) for ahead in (0, 1))
        seconds = [int(day.timestamp()) - self.sun_offset_s for day in days]
        return seconds[0] if seconds[0] >= self.start_s else seconds[1]


def site_second(moment: datetime, zone: ZoneInfo) -> int:
    """Returns a site time in s since 1970; one without a zone is local time at the site."""
    return int((moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp())


@dataclass
class Window:
    """A fault on one meter, from ``begin_s`` until before ``end_s`` (wall clock); None: not known, or for ever."""

    name: str
    fault: Fault
    meter: str
    begin_s: int | None = None
    end_s: int | None = None
    answered: int = 0
    """How many answers came while it was active."""

    def is_active(self, at_s: int) -> bool:
        """Returns whether the fault is there in this second; one that happens once never is."""
        return self.begin_s is not None and self.begin_s <= at_s and (self.end_s is None or at_s < self.end_s)


class Timeline:
    """The windows of one meter's faults, in the order of the file.

    Raises:
        ScenarioError: a fault begins before the start, ends before its begin, or waits for one that the meter has not.
    """

    def __init__(self, meter_id: str, loaded: LoadedScenario, clock: SiteClock) -> None:
        faults = zip(loaded.scenario.names, loaded.scenario.fault, strict=True)
        self.windows = [Window(name, fault, meter_id) for name, fault in faults if meter_id in fault.meters]
        self._by_name: Mapping[str, Window] = {window.name: window for window in self.windows}
        for window in self.windows:
            _check_others(loaded, window, self._by_name)
            fault = window.fault
            if fault.at is not None:
                window.begin_s = clock.wall_s(fault.at)
            elif fault.after is None:
                window.begin_s = clock.start_s + (fault.at_s or 0)
        self._resolve()
        for window in self.windows:
            _check_times(loaded, window, clock)

    def active(self, at_s: int) -> list[Window]:
        """Returns the windows that hold a second."""
        return [window for window in self.windows if window.is_active(at_s)]

    def count_answer(self, at_s: int) -> None:
        """Counts an answer that carried energy, and ends the faults that this was the last one of."""
        for window in self.active(at_s):
            window.answered += 1
            if window.answered == window.fault.answers:
                window.end_s = at_s + 1
                self._resolve()

    def resume(self, at_s: int) -> None:
        """Ends faults that last a number of answers and began before this second: they were counted elsewhere."""
        for window in self.windows:
            if window.fault.answers is not None and window.begin_s is not None and window.begin_s < at_s:
                window.end_s = at_s
        self._resolve()

    def _resolve(self) -> None:
        """Fills in what follows from what is known; a file's faults do not wait for each other in a ring."""
        for _ in self.windows:
            for window in self.windows:
                fault = window.fault
                if window.begin_s is None and fault.after is not None:
                    window.begin_s = self._by_name[fault.after].end_s
                if window.end_s is None and window.begin_s is not None:
                    window.end_s = self._end_s(window, window.begin_s)

    def _end_s(self, window: Window, begin_s: int) -> int | None:
        fault = window.fault
        if fault.is_of.place == "display":
            return begin_s
        if fault.for_s is not None:
            return begin_s + fault.for_s
        return None if fault.until is None else self._by_name[fault.until].begin_s


def _check_others(loaded: LoadedScenario, window: Window, by_name: Iterable[str]) -> None:
    for other in (window.fault.after, window.fault.until):
        if other is not None and other not in by_name:
            raise ScenarioError(
                f"{loaded.path}: fault {window.name}: {window.meter} does not have the fault {other}: add it to its "
                "meters, or take it from those of this one"
            )


def _check_times(loaded: LoadedScenario, window: Window, clock: SiteClock) -> None:
    where = f"{loaded.path}: fault {window.name}"
    if window.fault.is_of.place != "answer":
        waits_for_answers = window.begin_s is None or (window.fault.until is not None and window.end_s is None)
        if waits_for_answers:
            raise ScenarioError(
                f"{where}: its times depend on how many answers come, which kind {window.fault.kind} can not wait for: "
                "let the fault that it waits for end by for_s"
            )
    if window.begin_s is not None and window.begin_s > clock.start_s + MAX_S:
        raise ScenarioError(f"{where}: it begins more than {MAX_S} s after the scenario's start: give an earlier time")
    if window.begin_s is not None and window.begin_s < clock.start_s:
        raise ScenarioError(
            f"{where}: it begins {clock.start_s - window.begin_s} s before the scenario's start: give at_s, a time of "
            "day, or a later start"
        )
    if window.begin_s is not None and window.end_s is not None and window.end_s < window.begin_s:
        raise ScenarioError(f"{where}: it ends {window.begin_s - window.end_s} s before it begins: change until")
