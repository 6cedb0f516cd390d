"""The benchmark of small things: it runs, its figures mean what decisions say, and the documentation can read them."""

from typing import Any

import pytest

from docs.reference.measurements import Measurement
from support.servers.benchmark import quick_figures


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    return quick_figures("small.py")


def test_a_quick_run_has_every_figure(report: dict[str, Any]) -> None:
    figures = report["figures"]
    assert figures.keys() == {"agent_imports", "agent_imports_with_pandas", "guess_plain_leaf"}
    assert 0 < figures["agent_imports"]["median"] < figures["agent_imports_with_pandas"]["median"]
    assert figures["guess_plain_leaf"]["median"] > 0


def test_what_a_script_prints_is_what_the_documentation_reads(report: dict[str, Any]) -> None:
    measured = Measurement.model_validate({**report, "quick": False})
    assert measured.bench == "small" and measured.factor == measured.machine_factor
    assert measured.at_factor_1("guess_plain_leaf") is not None
