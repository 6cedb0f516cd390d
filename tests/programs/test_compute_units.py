"""Instructions stay within their budgets, and programs/README.md shows what they take."""

import subprocess
import sys
from pathlib import Path

import pytest

from support.programs.measure import Measure, all_measures
from support.programs.svm import ROOT

REPORT = ROOT / "programs/toolchain/report.py"
MEASURES = all_measures()


@pytest.mark.parametrize("measure", MEASURES, ids=lambda m: f"{m.program}.{m.instruction} {m.note}".strip())
def test_an_instruction_stays_within_its_budget(measure: Measure) -> None:
    print(f"{measure.program}.{measure.instruction}: {measure.work_cu} CU and {measure.searching_cu} for the address")
    assert measure.budget_cu is None or measure.work_cu <= measure.budget_cu


def test_the_table_in_the_readme_holds() -> None:
    done = subprocess.run([sys.executable, REPORT, "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_growth_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(REPORT).parent))
    import report

    recorded = "| oracle.attest | 10,000 |\n| oracle.so | 300,000 |"
    assert report.growths(recorded, "| oracle.attest | 10,500 |") == []
    (growth,) = report.growths(recorded, "| oracle.attest | 10,501 |")
    assert str(growth) == "oracle.attest: 10,000 -> 10,501"
    assert report.growths(recorded, "| oracle.verify | 1 |")
