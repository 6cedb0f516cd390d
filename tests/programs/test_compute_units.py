"""Instructions stay within their budgets, and programs/README.md shows what they take."""

import subprocess
import sys
from pathlib import Path

import pytest

from support.programs.measure import ADDRESS_TRY_CU, Measure, all_measures
from support.programs.svm import ROOT

REPORT = ROOT / "programs/toolchain/report.py"
BUDGETED = [measure for measure in all_measures() if measure.budget_cu is not None]


@pytest.mark.parametrize("measure", BUDGETED, ids=lambda m: f"{m.program}.{m.instruction} {m.note}".strip())
def test_an_instruction_stays_within_its_budget(measure: Measure) -> None:
    assert measure.budget_cu is not None and measure.work_cu <= measure.budget_cu


def test_the_table_in_the_readme_is_what_is_measured() -> None:
    """To the unit: rows without a budget are held by this alone."""
    done = subprocess.run([sys.executable, REPORT, "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_any_change_of_a_row_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(REPORT).parent))
    import report

    def table(work_cu: int = 10_000, searching: int = 1, budget_cu: int | None = None, name: str = "attest") -> str:
        measure = Measure("oracle", name, work_cu + searching * ADDRESS_TRY_CU, searching, budget_cu, "2 of 3")
        return str(report.table([measure]))

    recorded = table()
    assert list(report.rows(recorded))[:1] == ["oracle.attest (2 of 3)"]
    assert {f"{program}.so" for program in report.PROGRAMS} == set(list(report.rows(recorded))[1:])
    assert report.differences(recorded, recorded) == []
    assert report.differences(recorded, table(work_cu=10_001)) == [
        "oracle.attest (2 of 3): 10,000 | 1,500 | 11,500 -> 10,001 | 1,500 | 11,501"
    ]
    for changed in (table(work_cu=9_999), table(searching=2), table(budget_cu=12_000)):
        (difference,) = report.differences(recorded, changed)
        assert difference.startswith("oracle.attest (2 of 3): ")
    other = report.differences(recorded, table(name="verify"))
    assert [line.partition(": ")[0] for line in other] == ["oracle.attest (2 of 3)", "oracle.verify (2 of 3)"]
    assert other[0].endswith("-> no row") and "no row -> " in other[1]
    size = f"{report.sizes()['oracle']:,}"
    (difference,) = report.differences(recorded, recorded.replace(size, "1"))
    assert difference == f"oracle.so: {size} -> 1"
