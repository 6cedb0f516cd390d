"""The benchmark of the ledger's start still runs, and its JSON has what reports are made from."""

from support.servers.benchmark import quick_figures


def test_a_quick_run_has_every_figure() -> None:
    report = quick_figures("ledger_start.py")
    names = {f"{name}_200" for name in ("start", "start_whole", "start_busy", "verify", "verify_log")}
    assert report["figures"].keys() == names
    assert report["quick"] is True
    assert all(figure["unit"] == "s" and figure["min"] > 0 for figure in report["figures"].values())
