"""Nothing is believed from one answer: what opens a doubt, what ends it, and what is told then."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.meters.doubts import BACKWARDS, REMEMBERED_MS, Known, judge, overtaken, trouble
from edge.meters.endings import Ending
from edge.meters.known_text import from_text, to_text
from edge.meters.points import ASSUMED_S, TOLERANCE_S, TOLERANCE_WH, WALL_TOLERANCE_S, Point, Rules, not_before

NOW_MS = 1_780_000_000_000
RULES = Rules(max_power_w=20_000, period_ms=60_000)
KWH = 1_000


class Register:
    """A meter's readings one after another: (import, export) in Wh, a minute apart unless said."""

    def __init__(self, rules: Rules = RULES) -> None:
        self.rules, self.known, self.second, self.sequence = rules, Known(), 0, 0
        self.letters = ""
        self.endings: list[Ending] = []

    def read(self, *imports_wh: int, export_wh: int = 0, serial: str = "A", every_s: int = 60) -> "Register":
        for import_wh in imports_wh:
            self.second, self.sequence = self.second + every_s, self.sequence + 1
            ms = self.second * 1000
            point = Point(self.sequence, NOW_MS + ms, ms, 0, import_wh, export_wh, serial)
            verdict = judge(self.known, point, self.rules)
            self.known, self.letters = verdict.known, self.letters + verdict.letter
            if verdict.ending:
                self.endings.append(verdict.ending)
        return self

    @property
    def events(self) -> list[tuple[str, int, int, int]]:
        return [(e.event, e.last_sequence, e.first_sequence, e.confirmed_sequence) for e in self.endings]


def standing_at(import_wh: int, export_wh: int = 0, rules: Rules = RULES) -> Register:
    """A meter that has counted for a while: its readings 1 to 3 were its first, 4 and 5 are good."""
    meter = Register(rules).read(*(import_wh - 40 + 10 * n for n in range(5)), export_wh=export_wh)
    assert (meter.letters, meter.events) == ("EEEGG", [("first", 0, 1, 3)])
    meter.letters, meter.endings = "", []
    return meter


def test_a_first_baseline_needs_three_readings_over_two_periods() -> None:
    assert Register().read(5, 6).events == []
    assert Register().read(5, 6, 7).events == [("first", 0, 1, 3)]
    often = Register().read(*range(100, 113), every_s=10)
    assert often.letters == "E" * 12 + "G" and often.events == [("first", 0, 1, 12)]
    early = Register().read(5, 6, every_s=50).read(7, every_s=55)
    assert early.events == [("first", 0, 1, 3)], "a reading may come a little early"
    broken = Register().read(0, 5 * KWH, 5 * KWH + 10, 5 * KWH + 20)
    assert broken.events == [("first", 0, 2, 4)], "the zero came once"


def test_one_message_of_zeros_was_a_misread() -> None:
    """E1."""
    meter = standing_at(5_000 * KWH).read(0, serial="").read(5_000 * KWH + 15)
    assert (meter.letters, meter.events) == ("EG", [])


def test_three_zeros_are_a_reset_until_the_old_registers_come_back() -> None:
    """E1's kin: three equal wrong answers; what was read of them never counts."""
    meter = standing_at(5_000 * KWH).read(0, 0, 0, 0, serial="")
    assert (meter.letters, meter.events) == ("EEEG", [("reset", 5, 6, 8)])
    meter.read(*(5_000 * KWH + 30 + n for n in range(3)))
    assert (meter.letters, meter.events[1:]) == ("EEEGOOO", [("misread", 5, 10, 12)])
    assert meter.endings[1].before is not None and meter.endings[1].before.import_wh == 5_000 * KWH
    assert meter.read(5_000 * KWH + 40).letters == "EEEGOOOG"
    assert meter.known.given_up == ()


@pytest.mark.parametrize(("pause_s", "event"), [(REMEMBERED_MS // 1000 - 900, "misread"),
                                                (REMEMBERED_MS // 1000, "unexplained")])  # fmt: skip
def test_what_was_given_up_is_remembered_for_seven_days(pause_s: int, event: str) -> None:
    meter = standing_at(5_000 * KWH).read(0, 0, 0).read(10, every_s=pause_s)
    assert meter.read(*(5_000 * KWH + n for n in range(3))).events[1][0] == event


@pytest.mark.parametrize("export", [False, True])
def test_a_misread_that_was_believed_is_outvoted_by_what_follows(export: bool) -> None:
    """E3: +4,000 Wh at a boundary is less than 20 kW can count in a quarter of an hour."""
    values = (1_000_000, 1_004_900, 1_001_800, 1_002_700, 1_003_600)
    meter = Register(replace(RULES, period_ms=900_000))
    for value in (998_200, 999_100, *values):
        meter.read(7 if export else value, export_wh=value if export else 0, every_s=900)
    assert (meter.letters, meter.events) == ("EEEGEEE", [("first", 0, 1, 3), ("misread", 3, 5, 7)])


def test_another_meter_in_its_place() -> None:
    """E2: with both serial numbers known a swap, otherwise nobody can say."""
    swapped = standing_at(5_000 * KWH).read(54_000 * KWH, 54_000 * KWH + 10, 54_000 * KWH + 20, serial="B")
    assert (swapped.letters, swapped.events) == ("XXX", [("swap", 5, 6, 8)])
    ending = swapped.endings[0]
    assert (ending.serial_before, ending.serial, ending.first.import_wh) == ("A", "B", 54_000 * KWH)
    again = swapped.read(5_000 * KWH + 40, 5_000 * KWH + 41, 5_000 * KWH + 42, serial="A")
    assert again.events[1] == ("swap", 8, 9, 11), "the first is back: what the second counted still counts"
    unnamed = standing_at(5_000 * KWH).read(54_000 * KWH, 54_000 * KWH + 10, 54_000 * KWH + 20, serial="")
    assert (unnamed.letters, unnamed.events) == ("OOO", [("unexplained", 5, 6, 8)])
    down = standing_at(54_000 * KWH).read(5_000 * KWH, 5_000 * KWH + 10, 5_000 * KWH + 20)
    assert (down.letters, down.events) == ("EEE", [("unexplained", 5, 6, 8)])
    named_late = standing_at(5_000 * KWH).read(0, 1, serial="").read(2, serial="B")
    assert named_late.events == [("swap", 5, 6, 8)] and named_late.endings[0].serial == "B"


@pytest.mark.parametrize("width", [2**32, 10**6, 10**8])
@pytest.mark.parametrize("export", [False, True])
def test_a_rollover_only_at_a_width_that_is_known(width: int, export: bool) -> None:
    """E10."""
    for widths, event in (((10**5, width), "rollover"), ((2 * width,), "reset")):
        rules = replace(RULES, export_rollovers_wh=widths) if export else replace(RULES, import_rollovers_wh=widths)
        meter = standing_at(5_000, width - 20, rules) if export else standing_at(width - 20, 7, rules)
        for new in (30, 40, 50):
            meter.read(5_000 if export else new, export_wh=new if export else 7)
        assert meter.events == [(event, 5, 6, 8)]
        ending = meter.endings[0]
        rolled = width if event == "rollover" else 0
        assert (ending.import_width_wh, ending.export_width_wh) == ((0, rolled) if export else (rolled, 0))


def test_both_registers_began_again() -> None:
    rules = replace(RULES, import_rollovers_wh=(10**6,), export_rollovers_wh=(10**8,))
    meter = standing_at(10**6 - 1, 10**8 - 1, rules)
    for new in (5, 6, 7):
        meter.read(new, export_wh=new)
    assert (meter.endings[0].import_width_wh, meter.endings[0].export_width_wh) == (10**6, 10**8)
    assert standing_at(10**6 - 1, 500 * KWH, rules).read(5, 6, 7).events == [("reset", 5, 6, 8)], "export has no such"


def most_wh(seconds: int) -> int:
    """The most that 20 kW with an overload of 20 % count."""
    return 24_000 * (seconds + TOLERANCE_S) // 3_600 + TOLERANCE_WH


@pytest.mark.parametrize("export", [False, True])
def test_the_bounds_of_growth_of_a_reset_and_of_a_rollover(export: bool) -> None:
    def event(old: int, new: int, **rules: object) -> str:
        meter = standing_at(*((7, old) if export else (old, 7)), replace(RULES, **rules))  # type: ignore[arg-type]
        for n in range(3):
            pair = (7, new + n) if export else (new + n, 7)
            meter.read(pair[0], export_wh=pair[1])
        return meter.events[0][0] if meter.events else meter.letters[0]

    assert [event(9_000, 9_000 + most_wh(60)), event(9_000, 9_001 + most_wh(60))] == ["G", "O"]
    assert [event(10**9, most_wh(60)), event(10**9, most_wh(60) + 1)] == ["reset", "unexplained"]
    width = {"export_rollovers_wh" if export else "import_rollovers_wh": (10**9,)}
    assert [event(10**9 - 10, most_wh(60) - 10, **width), event(10**9 - 10, most_wh(60) - 9, **width)] == [
        "rollover", "reset",
    ]  # fmt: skip


def test_a_step_back_needs_a_saving_meter_that_was_silent() -> None:
    """It saves every five minutes: at 20 kW and an overload it may forget 2,000 Wh, and the tolerance comes on top."""
    saving = replace(RULES, save_period_s=300)
    most = 24_000 * 300 // 3_600 + TOLERANCE_WH

    def event(fall_wh: int, silent_s: int, rules: Rules) -> str:
        meter = standing_at(5_000 * KWH, 7, rules).read(5_000 * KWH - fall_wh, export_wh=7, every_s=silent_s)
        return meter.read(*(5_000 * KWH - fall_wh + n for n in (1, 2)), export_wh=7).events[0][0]

    assert event(300, 120, saving) == "step_back"
    assert event(most, 91, saving) == "step_back"
    assert event(most + 1, 91, saving) == "unexplained"
    assert event(300, 90, saving) == "unexplained", "it answered all the time"
    assert event(300, 120, RULES) == "unexplained", "it saves every Wh"
    assert event(5, 120, saving) == "misread", "it goes on from the reading before"
    both = standing_at(5_000 * KWH, 7, saving).read(5_000 * KWH - 300, export_wh=10**6, every_s=120)
    assert both.read(*(5_000 * KWH - 300,) * 2, export_wh=10**6).events[0][0] == "unexplained", "export jumped"


def test_a_reading_that_fits_neither_begins_another_run() -> None:
    meter = standing_at(1_000).read(50 * KWH, 90 * KWH, 70 * KWH, 90 * KWH, 90 * KWH + 1)
    assert (meter.letters, meter.events) == ("OOOOO", [])
    assert meter.read(90 * KWH + 2).events == [("unexplained", 5, 9, 11)]


def test_a_run_that_the_old_registers_interrupt_is_forgotten() -> None:
    meter = standing_at(50 * KWH).read(20, 20).read(50 * KWH).read(20, 20)
    assert (meter.letters, meter.events) == ("EEGEE", [])


def test_only_a_register_that_the_other_one_can_follow_is_explained() -> None:
    """Import began again, but export jumped."""
    meter = standing_at(50 * KWH)
    for n in range(3):
        meter.read(n, export_wh=10**6)
    assert meter.events == [("unexplained", 5, 6, 8)]


def test_registers_that_run_backwards_are_named() -> None:
    """E15: a meter that nets shows in each reading less than in the one before."""
    meter = standing_at(16_500)
    meter.read(*(16_500 - 50 * n for n in range(1, BACKWARDS + 1)))
    assert "in doubt: import 16250 Wh after 16500" in trouble(meter.known)
    meter.read(16_500 - 50 * (BACKWARDS + 1))
    assert "run backwards" in trouble(meter.known) and meter.events == []
    assert trouble(standing_at(5).known) == ""
    assert trouble(Register().read(5, 6).known) == "its first readings: 2 of 3"
    assert "serial number B, A before" in trouble(standing_at(5).read(5, serial="B").known)


def point(at_ms: int, monotonic_ms: int | None, import_wh: int, **more: int) -> Point:
    return Point(1, at_ms, monotonic_ms, more.get("late_ms", 0), import_wh, 0)


def grows_by(before: Point, now: Point) -> int:
    """The most that is believed from one point to the other, in seconds of 3.6 MW, which is a Wh a millisecond."""
    rules = Rules(3_000_000, 60_000)
    for seconds in sorted({0, 60, 3_600, 12 * 86_400}):
        for tolerance_s in (TOLERANCE_S, WALL_TOLERANCE_S):
            most = (seconds + tolerance_s) * 1_000 + TOLERANCE_WH
            good, wild = (replace(now, import_wh=before.import_wh + wh) for wh in (most, most + 1))
            known = Known(before)
            if (judge(known, good, rules).letter, judge(known, wild, rules).letter) == ("G", "O"):
                return seconds + tolerance_s
    raise AssertionError("another time")


def test_time_is_the_monotonic_clock_s_and_across_a_boot_the_wall_clock_s() -> None:
    before = point(NOW_MS, 1_000, 5)
    assert grows_by(before, point(NOW_MS + 86_400_000, 61_000, 5)) == 60 + TOLERANCE_S, "the wall clock jumped"
    days = 12 * 86_400_000
    assert grows_by(replace(before, monotonic_ms=None), point(NOW_MS + days, 9, 5)) == 12 * 86_400 + WALL_TOLERANCE_S
    never_set = point(1_000, None, 5)
    for wrong in (point(NOW_MS, 9, 5), point(500, 9, 5)):
        assert grows_by(never_set, wrong) == ASSUMED_S + WALL_TOLERANCE_S
    assert grows_by(point(NOW_MS, None, 5), point(NOW_MS - 1, 9, 5)) == ASSUMED_S + WALL_TOLERANCE_S
    far = point(NOW_MS + 401 * 86_400_000, 9, 5)
    assert grows_by(point(NOW_MS, None, 5), far) == ASSUMED_S + WALL_TOLERANCE_S
    late = point(NOW_MS, 100_000, 5, late_ms=60_000)
    assert grows_by(late, point(NOW_MS, 100_000, 5)) == 60 + TOLERANCE_S, "it was on its way for a minute"


def test_a_reading_is_on_its_way_for_no_longer_than_since_the_one_before() -> None:
    before, now = point(NOW_MS, 100_000, 5, late_ms=1_000), point(NOW_MS, 130_000, 5, late_ms=90_000)
    assert not_before(before, now).late_ms == 31_000
    assert not_before(before, replace(now, late_ms=7)).late_ms == 7
    assert not_before(None, now) == now and not_before(replace(before, monotonic_ms=None), now) == now


def test_a_publication_that_a_newer_one_overtook_is_judged_between_the_two() -> None:
    known = Known(Point(2, NOW_MS, None, 0, 1_100, 20), Point(1, NOW_MS - 60_000, None, 0, 1_000, 10))

    def state(at_ms: int, import_wh: int, export_wh: int = 15) -> str | None:
        return overtaken(known, Point(3, at_ms, None, 0, import_wh, export_wh))

    assert [state(NOW_MS, 1_050), state(NOW_MS + 1, 1_050), state(NOW_MS - 120_001, 1_050)] == [None] * 3
    assert [state(NOW_MS - 1, 1_100, 20), state(NOW_MS - 60_000, 1_000, 10), state(NOW_MS - 60_001, 0, 0)] == ["G"] * 3
    assert [state(NOW_MS - 1, 999), state(NOW_MS - 1, 1_050, 9)] == ["E", "E"]
    assert [state(NOW_MS - 1, 1_101), state(NOW_MS - 1, 1_050, 21)] == ["O", "O"]
    assert overtaken(Known(), Point(1, NOW_MS, None, 0, 1, 1)) is None
    first = Register().read(5).known
    assert overtaken(first, Point(2, NOW_MS, None, 0, 4, 0)) == "E"


REGISTERS = st.sampled_from([0, 1, 5, 900, 1_000_000, 1_000_005, 1_004_000, 2**32 - 1, 54_000_000])


@given(st.lists(st.tuples(REGISTERS, REGISTERS, st.sampled_from(["", "A", "B"]), st.integers(1, 4_000)), max_size=40))
def test_only_confirmed_registers_are_ever_good(readings: list[tuple[int, int, str, int]]) -> None:
    """Whatever is read: the readings that count never fall inside a run, and each event names readings in order."""
    meter = Register(replace(RULES, save_period_s=300, import_rollovers_wh=(2**32,)))
    for import_wh, export_wh, serial, every_s in readings:
        before = meter.known
        meter.read(import_wh, export_wh=export_wh, serial=serial, every_s=every_s)
        if meter.letters[-1] == "G":
            assert before.baseline and import_wh >= before.baseline.import_wh and export_wh >= before.baseline.export_wh
        assert from_text(to_text(meter.known), same_boot=True) == meter.known
    for event, last, first, confirmed in meter.events:
        assert last < first <= confirmed and (last == 0) == (event == "first")
        assert set(meter.letters[first - 1 : confirmed]) <= set("EOX") and confirmed - first >= 2


def test_what_is_known_outlives_a_restart_and_a_boot() -> None:
    meter = standing_at(5_000).read(0, 0)
    text = to_text(meter.known)
    rebooted = from_text(text, same_boot=False)
    assert rebooted.baseline is not None and rebooted.baseline.monotonic_ms is None
    assert rebooted.run is not None and rebooted.run.first.monotonic_ms is None and rebooted.run.count == 2
    assert replace(rebooted.baseline, monotonic_ms=300_000) == meter.known.baseline
    assert from_text(to_text(Known()), same_boot=True) == Known()
    for wrong in ("", "[]", "[1,2,3,4,5]", "{}", "7"):
        with pytest.raises(ValueError, match=r"says nothing|Expecting|unpack"):
            from_text(wrong, same_boot=True)
