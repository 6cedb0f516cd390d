"""The benchmark of the path still runs, and its JSON has what reports are made from."""

import pytest

from support.servers.benchmark import quick_figures

FIGURES = {
    "ingest": {
        f"{name}_{readings}_a_frame"
        for readings in (1, 60)
        for name in ("durable", "drain", "processor", "stored_p50", "stored_p99", "receipt_p99", "plain")
    }
    | {f"durable_{readings}_a_frame_to_plain" for readings in (1, 60)},
    "clearing": {
        "sort_100",
        "clear_100",
        "clear_100_to_plain",
        "auction_100",
        "auction_100_to_plain",
        "clear_attested_100",
    },
    "settlement": {"settle_30_lines", "settle_transactions", "settle_cu_per_line", "interval_cu_per_line"},
}


@pytest.mark.parametrize("part", FIGURES)
def test_a_quick_run_has_every_figure(part: str) -> None:
    report = quick_figures("path.py", "--only", part)
    assert report["quick"] is True
    assert {"cpu", "cores", "memory_mib", "fsync_ms", "python", "postgresql", "nats", "commit"} <= report[
        "machine"
    ].keys()
    assert report["machine_factor"] > 0
    assert len(report["load_average"]["before"]) == len(report["load_average"]["after"]) == 3
    assert report["figures"].keys() == FIGURES[part]
    for figure in report["figures"].values():
        assert 0 < figure["min"] <= figure["median"] <= figure["max"]
        assert figure["values"] and set(figure["values"]) >= {figure["min"], figure["max"]}
        assert figure["n"] > 0 and figure["runs"] > 0 and figure["seconds"] > 0 and figure["unit"]
