"""Writes settings.md and cli.md beside this file from the programs' own settings and command lines, or checks them.

python -m docs.reference.generate            writes both pages
python -m docs.reference.generate --check    fails when a page is not what the code says
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from docs.reference.cli_page import cli_page
from docs.reference.settings_page import settings_page

FOLDER = Path(__file__).resolve().parent


def main(argv: Sequence[str] | None = None) -> int:
    """Writes or checks; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with the committed pages")
    check: bool = parser.parse_args(argv).check
    # What is given in the environment is no longer required, so that the page would not say so
    for name in [name for name in os.environ if name.startswith("PEERWATT_")]:
        del os.environ[name]
    stale = False
    for name, text in (("settings.md", settings_page()), ("cli.md", cli_page())):
        page = FOLDER / name
        if not check:
            page.write_text(text)
        elif not page.exists() or page.read_text() != text:
            sys.stderr.write(f"docs/reference/{name} is out of date: run `make docs` and commit it\n")
            stale = True
    return 1 if stale else 0


if __name__ == "__main__":
    raise SystemExit(main())
