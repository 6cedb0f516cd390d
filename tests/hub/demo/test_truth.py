"""The report's ground truth reads what an interval is computed from, also before the first requested one."""

import json
from collections.abc import Mapping
from pathlib import Path
from uuid import UUID

import pytest

from hub.clock import at_ms, at_s
from hub.demo.served_log import read_log
from hub.demo.true_energy import MeterTruth
from hub.demo.truth import Expected, ExpectedInterval, StoredEnergy, expected_figures
from hub.settings import Settings

S, INTERVAL_S, POLL_S = 1_780_308_000, 60, 10
OWNER = UUID(int=4)


def served(until_s: int, *, since_s: int = S - 20) -> str:
    """Returns the simulator's log of a meter that imports 1 Wh per second."""
    rows = [
        {"t_ms": at_s * 1000, "meter": "M", "import_wh": 1000 + at_s - S, "export_wh": 0, "via": "modbus"}
        for at_s in range(since_s, until_s + 1, POLL_S)
    ]
    return "".join(json.dumps(row) + "\n" for row in rows)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.model_construct(
        truth_file=tmp_path / "truth.jsonl", interval_s=INTERVAL_S, poll_period_s=POLL_S, attest_grace_s=20
    )


def figures(settings: Settings, *starts_s: int, expected_ms: int = S * 1000) -> Mapping[int, ExpectedInterval]:
    return expectation(settings, None, *starts_s, expected_ms=expected_ms).by_start


def expectation(
    settings: Settings, stored: Mapping[int, StoredEnergy] | None, *starts_s: int, expected_ms: int = S * 1000
) -> Expected:
    meter = {"meter_id": "M", "participant_id": OWNER, "rated_power_w": 60_000, "expected_from": at_ms(expected_ms)}
    rows = None if stored is None else {start_s: {"M": stored[start_s]} for start_s in starts_s}
    starts = [at_s(start_s) for start_s in starts_s]
    expected = expected_figures(settings, [meter], starts, rows)  # type: ignore[list-item]
    assert expected is not None
    return expected


def test_an_interval_that_ends_in_a_gap_has_its_share_of_it(settings: Settings) -> None:
    """Whichever interval is asked for first; after the last reading nothing was measured."""
    assert settings.truth_file is not None
    settings.truth_file.write_text(served(S + 10) + served(S + 150, since_s=S + 90))
    alone, together = figures(settings, S + INTERVAL_S), figures(settings, S, S + INTERVAL_S, S + 2 * INTERVAL_S)
    assert alone[S + INTERVAL_S] == together[S + INTERVAL_S]
    assert [together[S + n * INTERVAL_S].figures["import_wh"] for n in range(3)] == [60, 60, 30]
    assert alone[S + INTERVAL_S].bills[str(OWNER)]["utility_micros"] == -INTERVAL_S * 5000


def test_a_meter_counts_from_the_interval_after_it_is_expected(settings: Settings) -> None:
    assert settings.truth_file is not None
    settings.truth_file.write_text(served(S + 2 * INTERVAL_S))
    expected = figures(settings, S, S + INTERVAL_S, expected_ms=S * 1000 + 1)
    assert expected[S].bills == {}
    assert expected[S + INTERVAL_S].figures["import_wh"] == INTERVAL_S


def test_a_log_that_was_full_is_read_on_from_the_file_before(tmp_path: Path) -> None:
    log = tmp_path / "truth.jsonl"
    (tmp_path / "truth.jsonl.1").write_text(served(S))
    log.write_text(served(S + 30, since_s=S + 10))
    assert [entry["t_ms"] // 1000 - S for entry in read_log(log)] == [-20, -10, 0, 10, 20, 30]
    assert [entry["t_ms"] // 1000 - S for entry in read_log(log, since_s=S - 10)] == [-10, 0, 10, 20, 30]


VALID, NOTHING = MeterTruth(INTERVAL_S, 0, "valid"), MeterTruth(0, 0, "missing")


def test_the_revision_in_force_is_compared_and_the_first_one_was_traded(settings: Settings) -> None:
    assert settings.truth_file is not None
    settings.truth_file.write_text(served(S + 2 * INTERVAL_S))
    corrected = expectation(settings, {S: StoredEnergy(first=NOTHING, now=VALID)}, S).by_start[S]
    assert (corrected.differences, corrected.estimated) == ([], [])
    assert corrected.figures["import_wh"] == INTERVAL_S
    assert corrected.bills[str(OWNER)]["utility_wh"] == -INTERVAL_S
    (wrong,) = expectation(
        settings, {S: StoredEnergy(first=VALID, now=MeterTruth(59, 0, "valid"))}, S
    ).by_start.values()
    assert wrong.differences == ["M: import_wh is 59, the ground truth says 60"]
    too_much = MeterTruth(1201, 0, "estimated")
    (wrong,) = expectation(settings, {S: StoredEnergy(first=too_much, now=VALID)}, S).by_start.values()
    assert wrong.differences == ["M: its first revision has more than 1200 Wh"]


def test_what_nobody_can_know_is_taken_within_its_limits(settings: Settings) -> None:
    """A gap over a boundary: however the two intervals share it, they have 120 Wh together, and are estimates."""
    assert settings.truth_file is not None
    settings.truth_file.write_text(served(S + 40) + served(S + 150, since_s=S + 90))
    starts = S, S + INTERVAL_S

    def shared(first_wh: int, second_wh: int, quality: str = "estimated") -> Expected:
        energies = [MeterTruth(wh, 0, quality) for wh in (first_wh, second_wh)]
        rows = {start: StoredEnergy(energy, energy) for start, energy in zip(starts, energies, strict=True)}
        return expectation(settings, rows, *starts)

    good = shared(50, 70)
    assert [good.by_start[s].estimated for s in starts] == [["M"], ["M"]]
    assert [good.by_start[s].differences for s in starts] == [[], []]
    assert [good.by_start[s].figures["import_wh"] for s in starts] == [50, 70]
    assert good.totals == []
    assert "import and export are (121, 0) Wh, the registers say (120, 0)" in shared(51, 70).totals[0]
    assert shared(-1, 121).by_start[S].differences == ["M: import_wh is -1, the ground truth says from 0 to 1200"]
    assert shared(60, 60, "valid").by_start[S].differences == ["M: it is valid, and nobody measured it"]
