"""The hub's and the audit's constants of a settlement are those of the trading program."""

import re
from pathlib import Path

from hub.audit import facts
from hub.settlement import onchain

SOURCES = Path(__file__).resolve().parents[3] / "programs" / "trading" / "src"


def constant(name: str) -> int:
    """Returns a Rust constant's value; the source has numbers and products of numbers."""
    text = "\n".join(file.read_text() for file in sorted(SOURCES.rglob("*.rs")))
    (value,) = re.findall(rf"pub const {name}: \w+ = ([0-9_* ]+);", text)
    product = 1
    for factor in value.split("*"):
        product *= int(factor.strip().replace("_", ""))
    return product


def test_states_and_window_are_the_programs() -> None:
    names = ("OPEN", "CLOSED", "EMPTY", "OPEN_WINDOW_S")
    assert {name: getattr(onchain, name) for name in names} == {name: constant(name) for name in names}


def test_an_auditor_knows_the_same_ones() -> None:
    assert {status.name: status.value for status in facts.SettlementStatus} == {
        status.name: constant(status.name) for status in facts.SettlementStatus
    }
    names = ("OPEN_WINDOW_S", "ABORT_AFTER_S")
    assert {name: getattr(facts, name) for name in names} == {name: constant(name) for name in names}
