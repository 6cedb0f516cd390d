"""Recorded power: what the format means, and what is said about a file that breaks it."""

from pathlib import Path

import pytest

from firmware_sim.errors import ReplayError
from firmware_sim.replay import load_replay

GOOD = "time,A,B\n2026-06-17T10:00:00Z,100,-200\n2026-06-17T12:01:00+02:00,110.5,0\n2026-06-17T10:03:00Z,-120.5,1e3\n"
TEN = 1_781_690_400


def load(tmp_path: Path, text: str | bytes, meters: tuple[str, ...] = ("A", "B")) -> object:
    path = tmp_path / "power.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load_replay(path, meters)


def test_a_row_holds_until_the_next_and_the_file_starts_over(tmp_path: Path) -> None:
    path = tmp_path / "power.csv"
    path.write_text(GOOD)
    power = load_replay(path, ["A", "B"])
    assert power.span_s == 300
    assert [power.segment("A", TEN + s) for s in (0, 59, 60, 179, 180, 299)] == [
        (100, TEN + 60), (100, TEN + 60), (111, TEN + 180), (111, TEN + 180), (-121, TEN + 300), (-121, TEN + 300),
    ]  # fmt: skip
    assert power.segment("B", TEN + 300) == (-200, TEN + 360)
    assert power.segment("B", TEN - 1) == (1000, TEN)
    assert power.segment("B", TEN + 7 * 300 + 61) == (0, TEN + 7 * 300 + 180)


def test_columns_may_stand_in_any_order(tmp_path: Path) -> None:
    path = tmp_path / "power.csv"
    path.write_text("\ufefftime, B ,A\r\n2026-06-17T10:00:00Z,1,2\r\n\r\n2026-06-17T10:01:00Z,3,4\r\n")
    power = load_replay(path, ["A", "B"])
    assert (power.segment("A", TEN)[0], power.segment("B", TEN)[0]) == (2, 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"csv:1: column 1 must be 'time', found nothing"),
        ("when,A,B\n", r"csv:1: column 1 must be 'time', found 'when'"),
        ("time,A,B,C\n", r"csv:1: column 4: no meter 'C' in the configuration"),
        ("time,A,A\n", r"csv:1: column 3: A is there twice"),
        ("time,A\n", r"csv:1: no column for B"),
        ("time,A,B\n", r"0 rows of data; at least 2"),
        ("time,A,B\n2026-06-17T10:00:00Z,1\n", r"csv:2: 2 values where the header has 3"),
        ("time,A,B\n2026-06-17T10:00:00Z,1,x\n", r"csv:2: column 3 \(B\): 'x' is not a number of watts"),
        ("time,A,B\n2026-06-17T10:00:00Z,nan,1\n", r"csv:2: column 2 \(A\): 'nan' is not between"),
        ("time,A,B\n2026-06-17T10:00:00Z,1,99999999\n", r"csv:2: column 3 \(B\): '99999999' is not between"),
        ("time,A,B\n17.06.2026 10:00,1,1\n", r"csv:2: column 1 \(time\): '17.06.2026 10:00' is not a time"),
        ("time,A,B\n2026-06-17T10:00:00,1,1\n", r"csv:2: column 1 \(time\): .* has no zone"),
        ("time,A,B\n2026-06-17T10:00:00.5Z,1,1\n", r"csv:2: column 1 \(time\): .* is not a whole second"),
        (GOOD + "2026-06-17T10:03:00Z,1,1\n", r"csv:5: column 1 \(time\): the time is not later"),
        ("time,A,B\n2026-06-17T10:00:00Z,1e999999999,1\n", r"csv:2: column 2 \(A\): '1e999999999' is not between"),
        ("time,A,B\n2026-06-17T10:00:00Z,1,-1e999999999\n", r"csv:2: column 3 \(B\): '-1e999999999' is not between"),
        ("time,A,B\n2026-06-17T10:00:00Z,1,sNaN\n", r"csv:2: column 3 \(B\): 'sNaN' is not between"),
        ("time,A,B\n0001-01-01T00:00:00+02:00,1,1\n", r"csv:2: column 1 \(time\): .* is outside of the years 1 to"),
        ("time,A,B\n9999-12-31T23:59:59-05:00,1,1\n", r"csv:2: column 1 \(time\): .* is outside of the years 1 to"),
        (b"time,A,B\n\xff\xfe", r"is not UTF-8 text"),
        ('time,A,B\n"2026', r"is not CSV"),
    ],
)
def test_a_fault_is_named_with_line_and_column(tmp_path: Path, text: str | bytes, message: str) -> None:
    with pytest.raises(ReplayError, match=message):
        load(tmp_path, text)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ReplayError, match="No such file or directory"):
        load_replay(tmp_path / "none.csv", ["A"])


WITH_GAP = (
    "time,A\n2023-01-06T21:45:00Z,1200\n2023-01-06T22:00:00Z,1200\n2023-01-09T06:00:00Z,300\n2023-01-09T06:15:00Z,300\n"
)


def test_a_gap_is_refused_and_said(tmp_path: Path) -> None:
    with pytest.raises(ReplayError, match=r"csv:4: column 1 \(time\): 201600 s since the row before, usual are 900 s"):
        load(tmp_path, WITH_GAP, ("A",))


def test_a_gap_is_held_when_asked_for_and_said_still(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "power.csv").write_text(WITH_GAP)
    power = load_replay(tmp_path / "power.csv", ["A"], hold_gaps=True)
    first_s, last_s = power.times[1], power.times[2]
    assert power.segment("A", first_s + 3600) == (1200, last_s)
    assert "201600 s since the row before, usual are 900 s (1 such gaps in the file)" in caplog.text


def test_one_missing_row_is_no_gap_and_tiny_numbers_are_zero(tmp_path: Path) -> None:
    text = "time,A\n2026-06-17T10:00:00Z,1e-999999999\n2026-06-17T10:15:00Z,1\n2026-06-17T10:45:00Z,2\n"
    (tmp_path / "power.csv").write_text(text)
    power = load_replay(tmp_path / "power.csv", ["A"])
    assert power.segment("A", power.times[0]) == (0, power.times[1])
