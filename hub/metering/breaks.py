"""What a meter's counter did between two of its runs, pure: the energy that flowed there, where anybody can know it.

``curve`` lays the runs end to end with it. An event that was seen happen lies between neighbours at most two poll
periods apart.
"""

from dataclasses import dataclass

from edge.wire.kinds import CounterEvent
from hub.metering.readings import MeterEvent, MeterReading
from hub.metering.runs import Limits

WIDTHS_WH = (10**6, 10**7, 10**8, 10**9, 2**32, 10**10, 10**11)
"""Where counters begin again: displays of 3 to 8 digits of kWh, and u32 in Wh."""
UNSEEN, ENTERED = "unseen_event", "entered"
"""The ids of a break that no signed event explains, and of one whose registers a person entered."""


@dataclass(frozen=True, slots=True)
class Break:
    """What lies between two runs: the energy that is known to have flowed there, and the id of what happened.

    Where ``known`` is False more may have flowed, and nobody can tell how much.
    """

    name: str
    import_wh: int
    export_wh: int
    known: bool


@dataclass(frozen=True, slots=True)
class Edges:
    """The last reading of a run and the first of the next.

    ``serial_before`` is the meter's serial number as far as earlier events said it.
    """

    before: MeterReading
    after: MeterReading
    serial_before: str
    was_seen: bool
    """Whether they are at most two poll periods apart."""

    def is_another(self, event: CounterEvent) -> bool:
        """Whether the event shows another meter."""
        serial_before = event.serial_before or self.serial_before
        return bool(serial_before and event.serial and serial_before != event.serial)

    def is_the_same(self, event: CounterEvent) -> bool:
        """Whether the event shows the same meter."""
        return bool(event.serial and event.serial == (event.serial_before or self.serial_before))


def break_between(edges: Edges, signed: MeterEvent | None, limits: Limits) -> Break:
    """Returns what lies between two runs; ``signed`` is the event that opened the later one, None without any."""
    most_wh = limits.most_wh(edges.after.read_ms - edges.before.read_ms)
    if signed is None:
        rolled = _only_rollover(edges, most_wh)
        return Break(UNSEEN, 0, 0, known=False) if rolled is None else Break("rollover", *rolled, known=True)
    name = ENTERED if signed.entered else signed.event.event
    if name == "reset" and edges.was_seen and (rolled := _only_rollover(edges, most_wh)) is not None:
        # The agent does not know where this counter begins again: nobody resets one that is just about to
        return Break("rollover", *rolled, known=True)
    grown = _entered_wh(edges, signed.event) if signed.entered else _grown_wh(edges, signed.event, most_wh)
    if grown is None or not all(0 <= wh <= most_wh for wh in grown):
        return Break(name, 0, 0, known=False)
    return Break(name, *grown, known=True)


def _grown_wh(edges: Edges, event: CounterEvent, most_wh: int) -> tuple[int, int] | None:
    """Returns the energy (import, export) across a signed event; None when nobody can know it."""
    if event.event == "first":
        return _first_wh(edges, event, most_wh)
    if event.event == "rollover":
        rolled = [width for width in (event.import_width_wh, event.export_width_wh) if width]
        widths = event.import_width_wh, event.export_width_wh
        grown = _outside_wh(edges, event, (_fallen_wh(event)[0] + widths[0], _fallen_wh(event)[1] + widths[1]))
        # In a long gap a narrow counter may have gone round more than once
        once = grown is not None and rolled and min(rolled) + min(grown) > most_wh
        return grown if edges.was_seen or once else None
    if not edges.was_seen:
        return None
    match event.event:
        case "reset":
            # A register that began again at 0 shows what was counted since; one that went on shows the growth
            pairs = zip(_fallen_wh(event), (event.import_after_wh, event.export_after_wh), strict=True)
            across = [now if grown < 0 else grown for grown, now in pairs]
        case "step_back":
            across = [max(0, grown) for grown in _fallen_wh(event)]
        case "swap" if edges.is_another(event):
            across = [0, 0]
        case _:
            return None
    return _outside_wh(edges, event, (across[0], across[1]))


def _entered_wh(edges: Edges, event: CounterEvent) -> tuple[int, int] | None:
    """Returns the energy across a change of the registers that a person entered with the values before and after."""
    return _outside_wh(edges, event, (0, 0))


def _fallen_wh(event: CounterEvent) -> tuple[int, int]:
    return event.import_after_wh - event.import_before_wh, event.export_after_wh - event.export_before_wh


def _outside_wh(edges: Edges, event: CounterEvent, across: tuple[int, int]) -> tuple[int, int] | None:
    """Adds what was counted up to the event's registers before, and from those after; None when they do not fit."""
    before = (event.import_before_wh - edges.before.import_wh, event.export_before_wh - edges.before.export_wh)
    after = (edges.after.import_wh - event.import_after_wh, edges.after.export_wh - event.export_after_wh)
    if min(*before, *after) < 0:
        return None
    return before[0] + across[0] + after[0], before[1] + across[1] + after[1]


def _first_wh(edges: Edges, event: CounterEvent, most_wh: int) -> tuple[int, int] | None:
    """Returns the energy up to the first registers that a new agent knows.

    The serial number shows that they are of the same meter. Without it another meter with higher registers may have
    been put in its place in a gap, but hardly between two readings.
    """
    grown = edges.after.import_wh - edges.before.import_wh, edges.after.export_wh - edges.before.export_wh
    if edges.is_the_same(event):
        return grown if min(grown) >= 0 else _only_rollover(edges, most_wh)
    return grown if edges.was_seen and min(grown) >= 0 and not edges.is_another(event) else None


def _only_rollover(edges: Edges, most_wh: int) -> tuple[int, int] | None:
    """Returns the energy across a rollover that nobody signed, where one counter width alone explains the fall."""
    grown: list[int] = []
    before, after = edges.before, edges.after
    for old, new in ((before.import_wh, after.import_wh), (before.export_wh, after.export_wh)):
        if new >= old:
            ways = [new - old]
        else:
            ways = [new - old + times * width for width in WIDTHS_WH if old < width for times in (1, 2)]
        possible = [wh for wh in ways if 0 <= wh <= most_wh]
        if len(possible) != 1:
            return None
        grown.append(possible[0])
    return grown[0], grown[1]
