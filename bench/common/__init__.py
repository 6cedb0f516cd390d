"""Modules that the scripts in bench/ share; servers and gateways are those of tests/support."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_TESTS = str(ROOT / "tests")

if _TESTS not in sys.path:
    sys.path.insert(0, _TESTS)
