"""Writes or checks the generated documentation: settings, commands and rules from the code, figures from docs/figures.

python -m docs.reference.generate            writes all of them
python -m docs.reference.generate --check    fails when a page is not what the code says
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from docs.reference.cli_page import cli_page
from docs.reference.figures_page import figures_page, readme
from docs.reference.oracle_page import oracle_page
from docs.reference.settings_page import settings_page

ROOT = Path(__file__).resolve().parents[2]
PAGES = {
    "docs/reference/settings.md": settings_page,
    "docs/reference/cli.md": cli_page,
    "docs/oracle.md": oracle_page,
    "docs/figures/README.md": figures_page,
    "README.md": readme,
}
"""Files, and what gives their text."""


def main(argv: Sequence[str] | None = None) -> int:
    """Writes or checks; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with the committed pages")
    check: bool = parser.parse_args(argv).check
    # What is given in the environment is no longer required, so that the page would not say so
    for name in [name for name in os.environ if name.startswith("PEERWATT_")]:
        del os.environ[name]
    stale = False
    for name, text_of in PAGES.items():
        page, text = ROOT / name, text_of()
        if not check:
            page.write_text(text)
        elif not page.exists() or page.read_text() != text:
            sys.stderr.write(f"{name} is out of date: run `make docs` and commit it\n")
            stale = True
    return 1 if stale else 0


if __name__ == "__main__":
    raise SystemExit(main())
