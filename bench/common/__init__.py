"""What the scripts in bench/ share; the servers and gateways of tests/support are borrowed from there."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_TESTS = str(ROOT / "tests")

if _TESTS not in sys.path:
    sys.path.insert(0, _TESTS)
