"""The benchmark of the ledger's start still runs, and its JSON has what reports are made from."""

from support.servers.benchmark import quick_figures


def test_a_quick_run_has_every_figure() -> None:
    report = quick_figures("ledger_start.py")
    names = {f"{name}_200" for name in ("start", "start_whole", "start_busy", "verify", "verify_log", "read")}
    assert report["figures"].keys() == names | {"start_200_to_plain"}
    assert report["quick"] is True
    assert all(figure["unit"] in ("s", "times") and figure["min"] > 0 for figure in report["figures"].values())
