"""The second telling of a meter's energy: what a scenario's faults leave of it, and what nobody can know."""

from typing import Any

import pytest

from hub.demo.served_log import faults_of, slots_of
from hub.demo.true_energy import Energies, Meter, MeterTruth, Times, Total, energies

S, TIMES = 1_780_308_000, Times(interval_s=60, poll_period_s=10)
RATED_W = 18_000
Log = list[dict[str, Any]]


def load(since_s: int, until_s: int, *, at_wh: int = 1000, **fields: Any) -> Log:
    """Returns the log of a meter that imports 1 Wh a second; its register is ``at_wh`` at S."""
    return [
        {"t_ms": (S + s) * 1000, "meter": "M", "import_wh": at_wh + s, "export_wh": 0, "via": "modbus", **fields}
        for s in range(since_s, until_s + 1, 10)
    ]


def label(kind: str, from_s: int, to_s: int | None) -> dict[str, Any]:
    from_ms, to_ms = (S + from_s) * 1000, None if to_s is None else (S + to_s) * 1000
    return {
        "t_ms": to_ms or from_ms, "meter": "M", "import_wh": None, "export_wh": None, "via": "scenario",
        "fault": f"{kind}-1", "kind": kind, "from_ms": from_ms, "to_ms": to_ms, "answers": 0,
    }  # fmt: skip


def told(log: Log, intervals: int = 2) -> Energies:
    return energies(log, {"M": Meter(RATED_W)}, TIMES, S, S + (intervals - 1) * 60)


def meter(log: Log, number: int = 0) -> MeterTruth:
    return told(log).by_start[S + number * 60]["M"]


VALID = MeterTruth(60, 0, "valid")


@pytest.mark.parametrize("at_s", [0, 30, 60])
def test_an_answer_that_a_fault_spoiled_is_none(at_s: int) -> None:
    zero = load(at_s, at_s, at_wh=-at_s, faults=["zeros-1"])
    log = [*load(-10, at_s - 10), label("zeros", at_s, None), *zero, *load(at_s + 10, 130)]
    assert at_s + S not in slots_of(log, "M", 10)
    assert [meter(log), meter(log, 1)] == [VALID, VALID]


def test_a_fault_without_a_label_is_known_by_its_name() -> None:
    """The label of a fault is written a little after its first answer."""
    assert slots_of(load(0, 0, faults=["other_meter-12"]), "M", 10) == {}


def test_a_rollover_adds_up_to_its_width() -> None:
    log = [*load(-10, 30, at_wh=999_965), label("rollover", 35, 35), *load(40, 130, at_wh=-35)]
    assert [meter(log), meter(log, 1)] == [VALID, VALID]


def test_after_a_reset_what_was_counted_since_is_seen() -> None:
    log = [*load(-10, 30), label("reset", 35, 35), *load(40, 130, at_wh=-35)]
    assert [meter(log), meter(log, 1)] == [MeterTruth(55, 0, "valid"), VALID]
    gap = [*load(-10, 0), label("reset", 35, 35), *load(40, 130, at_wh=-35)]
    assert meter(gap).known is False


def test_a_swap_leaves_the_time_around_it_unknown() -> None:
    log = [*load(-10, 30), label("swap", 35, 35), *load(40, 130, at_wh=5_000_000)]
    assert meter(log) == MeterTruth(
        50, 0, "any", known=False, least_import_wh=50, least_export_wh=0, most_import_wh=50 + 50, most_export_wh=0
    )
    assert meter(log, 1) == VALID


def test_registers_that_fall_without_a_reason_leave_it_unknown_too() -> None:
    assert meter([*load(-10, 30), *load(40, 130, at_wh=500)]).known is False


def test_a_gap_over_a_boundary_is_exact_in_the_sum() -> None:
    found = told([*load(-10, 40), *load(80, 190)], 3)
    shares = [found.by_start[S + n * 60]["M"] for n in range(3)]
    assert [(share.quality, share.known) for share in shares] == [
        ("estimated", False), ("estimated", False), ("valid", True),
    ]  # fmt: skip
    assert found.totals == [Total("M", (S, S + 60), 120, 0)]


def test_what_a_meter_counts_wrongly_has_an_upper_limit_only() -> None:
    truth = meter([*load(-10, 130), label("reversed_ct", 20, None)])
    assert (truth.known, truth.quality, truth.least_import_wh, truth.most_import_wh) == (False, "any", 0, 60)
    assert meter([*load(-10, 130), label("frozen", 60, 70)]) == VALID


def test_a_meter_that_is_silent_to_the_end_is_not_measured() -> None:
    truth = meter(load(-10, 30))
    assert (truth.quality, truth.least_import_wh, truth.most_import_wh) == ("estimated", 30, 30 + 150)
    assert meter([]) == MeterTruth(0, 0, "missing", known=False, most_import_wh=300)


def test_a_publication_whose_clock_is_wrong_counts_when_it_came() -> None:
    right = load(10, 10, via="mqtt", payload_ms=(S + 9) * 1000)
    wrong = load(20, 20, via="mqtt", payload_ms=(S + 20 - 18_000) * 1000)
    assert list(slots_of([*right, *wrong], "M", 10)) == [S + 9, S + 20]
    assert list(slots_of([*right, *wrong], "M", 10, own_clocks=False)) == [S + 10, S + 20]


def test_a_reading_that_was_late_is_exact_to_a_watt_hour_at_a_boundary() -> None:
    """The log says when it was answered, and the gateway when it came."""
    log = load(-10, 50) + [{**row, "t_ms": row["t_ms"] + 8015} for row in load(60, 130)]
    truth = told(log).by_start[S]["M"]
    assert (truth.quality, truth.known, truth.least_import_wh, truth.most_import_wh) == ("valid", False, 54, 56)


def test_the_label_of_a_faults_end_takes_the_place_of_that_of_its_begin() -> None:
    faults = faults_of([label("frozen", 0, None), label("frozen", 0, 50), label("swap", 20, 20)], "M")
    assert [(f.kind, f.from_ms // 1000 - S, f.to_ms and f.to_ms // 1000 - S) for f in faults] == [
        ("frozen", 0, 50), ("swap", 20, 20),
    ]  # fmt: skip
