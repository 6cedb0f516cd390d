"""The benchmark of a settlement still runs, and its JSON has what reports are made from."""

import pytest

from support.servers.benchmark import quick_figures, start_quick


def test_a_quick_run_settles_every_trade() -> None:
    report = quick_figures("settle.py")
    names = {"seconds_to_closed", "cu_per_line", "transactions", "submit_to_finalised_p95_ms"}
    assert report["figures"].keys() == names | {"submit_to_finalised_p50_ms"}
    assert report["figures"]["seconds_to_closed"]["n"] == 60
    assert report["transactions"] == 6  # attest, mint, open, two batches, close
    assert all(report[name] > 0 for name in names)


@pytest.mark.parametrize("arguments", [("--people", "21"), ("--people", "4", "--trades", "5")])
def test_an_impossible_book_is_refused(arguments: tuple[str, ...]) -> None:
    completed = start_quick("settle.py", *arguments)
    assert completed.returncode == 2
    assert "--people is even" in completed.stderr
