"""A scenario while it plays over the meters of a site: their courses, their answers, and the labels of its faults."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from firmware_sim.energy import Energy
from firmware_sim.meter import Snapshot
from firmware_sim.scenario.answering import Answer, Circumstances, Truth, answer_with
from firmware_sim.scenario.course import ScenarioCourse
from firmware_sim.scenario.file import LoadedScenario
from firmware_sim.scenario.timeline import SiteClock, Timeline, Window


@dataclass(frozen=True)
class Label:
    """A fault on a meter, from a wall-clock second until before another (None: it is still there)."""

    fault: str
    kind: str
    meter: str
    from_s: int
    to_s: int | None
    answers: int


class ScenarioPlay:
    """The scenario from ``clock.start_s`` on, for these meters by id.

    Raises:
        ScenarioError: the times of a fault do not fit.
    """

    def __init__(self, loaded: LoadedScenario, clock: SiteClock, meters: tuple[str, ...], seed: int) -> None:
        self.digest = loaded.digest
        self.start_s = clock.start_s
        self._seed = seed
        self._sun_offset_s = clock.sun_offset_s
        self._timelines: Mapping[str, Timeline] = {name: Timeline(name, loaded, clock) for name in meters}
        self.courses = {name: ScenarioCourse(line, clock.start_s, seed) for name, line in self._timelines.items()}
        self._begun: set[tuple[str, str]] = set()
        self._ended: set[tuple[str, str]] = set()

    def answer(self, meter_id: str, snapshot: Snapshot, energy: Energy, shown_by: Callable[[str], Snapshot]) -> Answer:
        """Returns what a meter answers where its true snapshot is this; ``shown_by`` gives those of others."""
        windows = self._timelines[meter_id].active(snapshot.at_s)
        answer = Answer(snapshot, Truth.of(energy, windows))
        circumstances = Circumstances(self._seed, self._sun_offset_s, shown_by)
        for window in windows:
            answer = answer_with(answer, window, circumstances)
        return answer

    def count_answer(self, meter_id: str, at_s: int) -> None:
        """Counts an answer that carried energy, or would have: some faults end after a number of them."""
        self._timelines[meter_id].count_answer(at_s)

    def resume(self, at_s: int) -> None:
        """Goes on after a restart in this second; what was told of before is not told again."""
        for timeline in self._timelines.values():
            timeline.resume(at_s)
        for window in self._windows():
            if window.begin_s is not None and window.begin_s < at_s:
                self._begun.add((window.name, window.meter))
                if window.end_s is not None and window.end_s < at_s:
                    self._ended.add((window.name, window.meter))

    def changes(self, until_s: int) -> Iterator[Label]:
        """Yields each fault that has begun by this second, and again when it has ended, once each."""
        for window in self._windows():
            key, begin_s, end_s = (window.name, window.meter), window.begin_s, window.end_s
            if begin_s is None or begin_s > until_s:
                continue
            has_ended = end_s is not None and end_s <= until_s
            if key not in self._begun:
                self._begun.add(key)
                if end_s != begin_s:
                    yield replace(_label(window, begin_s, None), answers=0)
            if has_ended and key not in self._ended:
                self._ended.add(key)
                yield _label(window, begin_s, end_s)

    def labels(self, until_s: int) -> list[Label]:
        """Returns the faults that begin before a second, in the order of their begins."""
        found = [
            _label(w, w.begin_s, w.end_s) for w in self._windows() if w.begin_s is not None and w.begin_s < until_s
        ]
        return sorted(found, key=lambda label: (label.from_s, label.meter, label.fault))

    def _windows(self) -> Iterator[Window]:
        for timeline in self._timelines.values():
            yield from timeline.windows


def _label(window: Window, from_s: int, to_s: int | None) -> Label:
    return Label(window.name, window.fault.kind, window.meter, from_s, to_s, window.answered)
