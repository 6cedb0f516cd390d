"""docs/audit.md says of checks and acts what the code does."""

from support.programs.audit_page import PAGE, render


def test_the_pages_tables_are_the_tests() -> None:
    page = PAGE.read_text()
    assert page == render(page), "run: PYTHONPATH=.:tests python -m support.programs.audit_page --write"
    assert page.count("| `own_") == 5 and "| settle lines twice |" in page
