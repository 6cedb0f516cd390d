"""The benchmark of small things: it runs, and its figures mean what decisions say."""

from support.servers.benchmark import quick_figures


def test_a_quick_run_has_every_figure() -> None:
    figures = quick_figures("small.py")["figures"]
    assert figures.keys() == {"agent_imports", "agent_imports_with_pandas", "guess_plain_leaf"}
    assert 0 < figures["agent_imports"]["median"] < figures["agent_imports_with_pandas"]["median"]
    assert figures["guess_plain_leaf"]["median"] > 0
