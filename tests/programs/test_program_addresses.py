"""The programs' addresses are the published ones, in every place that names them (docs/decisions/0002)."""

import re

import pytest

from hub.chain import programs
from support.programs.svm import NAMES, PROGRAM_IDS, ROOT, program


@pytest.mark.parametrize("name", NAMES)
def test_crate_idl_and_record_agree_with_the_seed(name: str) -> None:
    address = str(PROGRAM_IDS[name])
    source = (ROOT / f"programs/{name}/src/lib.rs").read_text()
    assert re.findall(r'declare_id!\("(\w+)"\)', source) == [address]
    assert program(name).idl.metadata["address"] == address
    record = (ROOT / "docs/decisions/0002-program-addresses.md").read_text()
    assert f"| {name} | `{address}` |" in record


def test_the_hub_uses_the_same_addresses() -> None:
    assert {name: str(key) for name, key in programs.PROGRAM_IDS.items()} == {
        name: str(key) for name, key in PROGRAM_IDS.items()
    }
