#!/usr/bin/env python3
"""Writes docs/attacks.md, the matrix of attacks on every instruction, or checks that it still holds.

attacks.py            plays all attacks in the virtual machine and writes the page
attacks.py --check    fails when the page is not what the attacks lead to
"""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support.programs.attacks.report import PAGE, page  # noqa: E402  # found by the line above


def main() -> int:
    """Writes the page, or compares it; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with the committed page")
    check: bool = parser.parse_args().check
    written = page()
    if not check:
        PAGE.write_text(written)
        return 0
    if PAGE.read_text() == written:
        return 0
    sys.stderr.write("attacks.py: docs/attacks.md is out of date: run programs/toolchain/attacks.py and commit\n")
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
