"""The second coding reads the simulator's log as it is written: two answers a slot, publications, a cut last line."""

from pathlib import Path

from hub.demo.served_log import read_log, slots_of

POLL_S = 10


def entry(t_ms: int, import_wh: int | None, export_wh: int | None, payload_ms: int | None = None) -> dict[str, object]:
    via = "modbus" if payload_ms is None else "mqtt"
    return {
        "t_ms": t_ms, "meter": "M", "import_wh": import_wh, "export_wh": export_wh, "via": via, "payload_ms": payload_ms
    }  # fmt: skip


def test_two_answers_of_a_slot_are_put_together() -> None:
    log = [entry(20_050, 7, None), entry(20_090, None, 3), entry(30_040, 8, None), entry(30_080, None, 4)]
    assert slots_of(log, "M", POLL_S) == {20: (20_050, 7, 3), 30: (30_040, 8, 4)}


def test_half_an_answer_is_no_reading() -> None:
    log = [entry(20_050, 7, None), entry(20_090, None, 3), entry(30_040, 8, None)]
    assert list(slots_of(log, "M", POLL_S)) == [20]


def test_a_meter_that_never_shows_export_has_none() -> None:
    assert slots_of([entry(20_050, 7, None)], "M", POLL_S) == {20: (20_050, 7, 0)}


def test_a_publication_counts_at_the_time_it_carries() -> None:
    assert slots_of([entry(20_950, 7, 1, payload_ms=20_000)], "M", POLL_S) == {20: (20_000, 7, 1)}


def test_the_first_answer_of_a_slot_counts() -> None:
    assert slots_of([entry(20_050, 7, 1), entry(28_000, 9, 2)], "M", POLL_S) == {20: (20_050, 7, 1)}


def test_a_line_that_a_kill_cut_short_is_left_out(tmp_path: Path) -> None:
    log = tmp_path / "truth.jsonl"
    log.write_text('{"meter": "M"}\n{"meter": "N')
    assert read_log(log) == [{"meter": "M"}]
