"""What must always be true of the repository itself: its layout, its sizes, and what must never be committed."""

import ast
import re
from pathlib import Path

from support.tree import ROOT, tracked

TOP = {
    "edge", "hub", "programs", "firmware-sim", "ansible", "tests", "docs", "bench", "pyproject.toml", "README.md",
    "Makefile", "CHANGELOG.md", "LICENSE", "CONTRIBUTING.md", "SECURITY.md",
}  # fmt: skip
HARD_LINES = 500
# Registry hosts, and paths of one machine; written apart so that this file does not contain them itself.
FORBIDDEN = re.compile(
    "|".join(
        [
            r"files\.python" + "hosted", r"pypi\.org" + "/", r"registry\." + "npmjs", r"static\.crates" + r"\.io",
            r"index\.crates" + r"\.io", r"deb\.deb" + r"ian\.org", "/ro" + "ot/", "/wo" + "rk/",
        ]
    )
)  # fmt: skip
SECRET = re.compile("-----BEGIN (?:EC |RSA )?PRIVATE" + " KEY-----|NATS USER " + "SEED")


def sources() -> list[Path]:
    kinds = {".py", ".rs", ".ts", ".tsx"}
    return [path for path in tracked() if path.suffix in kinds and "schema.d.ts" not in path.name]


def test_the_top_level_holds_nothing_else() -> None:
    names = {path.relative_to(ROOT).parts[0] for path in tracked()}
    assert {name for name in names if not name.startswith(".")} <= TOP


def test_no_file_is_longer_than_a_person_reads() -> None:
    long = {str(p.relative_to(ROOT)): n for p in sources() if (n := p.read_text().count("\n")) > HARD_LINES}
    assert not long


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in sources()
        if path.suffix == ".py" and path.read_text().strip() and ast.get_docstring(ast.parse(path.read_text())) is None
    ]
    assert not silent


def test_nothing_secret_or_local_is_committed() -> None:
    found = []
    for path in tracked():
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        found += [f"{path.relative_to(ROOT)}: {m[0]}" for m in (FORBIDDEN.search(text), SECRET.search(text)) if m]
    assert not found


def test_sql_lives_in_repositories_and_migrations_only() -> None:
    statement = re.compile(r"\"\s*(?:SELECT .* FROM|INSERT INTO|UPDATE \w+ SET|DELETE FROM)\b")
    # beside the domains' own: the two things every domain uses inside its transactions, and the database itself
    allowed = {"repository.py", "queries.py", "lease.py", "outbox.py", "db.py", "postgres.py"}
    found = [
        str(path.relative_to(ROOT))
        for path in sources()
        if path.is_relative_to(ROOT / "hub") and path.name not in allowed and statement.search(path.read_text())
    ]
    assert not found


def test_folders_that_are_no_packages_hold_no_init() -> None:
    assert not [
        p for p in tracked() if p.name == "__init__.py" and p.relative_to(ROOT).parts[0] in {"ansible", "programs"}
    ]
