"""The benchmark of the oracle: a quick run has every figure."""

from support.servers.benchmark import quick_figures


def test_a_quick_run_has_every_figure() -> None:
    figures = quick_figures("oracle.py")["figures"]
    assert figures.keys() == {"attest_1000_s", "correct_10000_s", "flagged_pct", "false_flagged_pct", "wrong_wh_final"}
    assert figures["attest_1000_s"]["median"] > 0
    assert figures["correct_10000_s"]["n"] == 10 * figures["attest_1000_s"]["n"]
    assert (figures["flagged_pct"]["median"], figures["wrong_wh_final"]["median"]) == (100, 0)
