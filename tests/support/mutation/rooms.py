"""The rooms that mutation testing knows: the files that are changed, and the tests that should notice."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Room:
    """``sources`` are files or folders; what lies below one of ``without`` belongs to another room."""

    sources: Sequence[str]
    tests: Sequence[str]
    without: Sequence[str] = ()

    def files(self, root: Path) -> list[str]:
        """Returns the room's Python files, relative to ``root``, sorted."""
        found = set()
        for source in self.sources:
            place = root / source
            found |= {place} if place.is_file() else set(place.rglob("*.py"))
        names = sorted(str(file.relative_to(root)) for file in found)
        return [name for name in names if not any(name.startswith(away) for away in self.without)]


BY_INSTRUCTIONS = (
    "attestors", "authority_change", "builders", "certificate_holdings", "certificates", "inclusion",
    "market_handover", "meter_owner", "meter_swap", "registry_status", "upgrade", "verify_line", "votes",
)  # fmt: skip
"""Tests of the programs that act by the hub's own instructions."""

ROOMS = {
    "wire": Room(["edge/wire"], ["tests/edge/wire", "tests/edge/offline", "tests/contract", "tests/hub/ingest"]),
    "edge": Room(["edge"], ["tests/edge"], without=["edge/wire/"]),
    "ingest": Room(["hub/ingest"], ["tests/hub/ingest", "tests/contract"]),
    "metering": Room(["hub/metering"], ["tests/hub/metering", "tests/hub/proofs", "tests/hub/billing"]),
    "market": Room(["hub/market"], ["tests/hub/market", "tests/contract"]),
    "settlement": Room(["hub/settlement"], ["tests/hub/settlement"]),
    "accounts": Room(["hub/accounts"], ["tests/hub/accounts", "tests/hub/api"]),
    "lease": Room(["hub/postgres/lease.py", "hub/postgres/rounds.py"], ["tests/hub/postgres", "tests/hub/worker"]),
    "chain": Room(["hub/chain"], ["tests/hub/chain", *(f"tests/programs/test_{name}.py" for name in BY_INSTRUCTIONS)]),
    "audit": Room(["hub/audit"], ["tests/hub/audit", "tests/programs/test_dishonest_hub.py"]),
}
