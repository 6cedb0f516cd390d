"""The proof that the web app's tests climb, climbed offline: every field that is checked refuses any other value."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import hub
from edge.offline.verify import verify
from edge.wire.errors import MerkleRootError, ProofError, WireError
from edge.wire.proofs import check_proof

FIXTURE = Path(hub.__file__).with_name("web") / "src/features/proof/verify/ladder.fixture.json"
PROOF: dict[str, Any] = json.loads(FIXTURE.read_text())


def changed(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    document = copy.deepcopy(PROOF)
    change(document)
    return document


def other(value: Any) -> Any:
    """Another value of the same kind."""
    if isinstance(value, int):
        return value + 1
    if isinstance(value, list):
        return value[:-1]
    if value.startswith("20"):
        return value.replace("T09:", "T08:")
    return value[:-1] + ("2" if value[-1] != "2" else "3")


CHECKED = [
    (name,)
    for name in ("gateway_id", "public_key", "header", "signature", "record", "index", "count", "path", "reading_id",
                 "header_hash", "format")
] + [
    (rung, name)
    for rung, names in {
        "reading": ("meter_id", "slot_at", "import_wh", "export_wh"),
        "interval": ("start_at", "end_at", "merkle_root", "leaf", "meter_id", "import_wh", "export_wh", "quality",
                     "blinding", "index", "path"),
        "line": ("start_at", "index", "wallet", "sold_wh", "bought_wh", "credit_micros", "debit_micros", "leaf", "path",
                 "root"),
    }.items()
    for name in names
]  # fmt: skip


def test_the_whole_ladder_holds_and_names_what_to_compare_with_the_chain() -> None:
    roots = check_proof(PROOF).roots
    assert [(one.rung, one.root.hex(), one.account) for one in roots] == [
        ("interval", PROOF["interval"]["merkle_root"], PROOF["chain"]["interval_account"]),
        ("line", PROOF["line"]["root"], PROOF["chain"]["settlement_account"]),
    ]


def test_a_file_is_answered_with_what_was_verified_and_what_was_not() -> None:
    report = verify(None, FIXTURE, PROOF["public_key"])
    assert report["ok"] and report["verified"] == ["frame", "reading", "interval", "line"]
    assert [one["account"] for one in report["compare_with_the_chain"]] == [
        PROOF["chain"]["interval_account"], PROOF["chain"]["settlement_account"],
    ]  # fmt: skip


@pytest.mark.parametrize("place", CHECKED, ids=".".join)
def test_another_value_is_refused(place: tuple[str, ...]) -> None:
    def change(document: dict[str, Any]) -> None:
        *above, name = place
        part = document[above[0]] if above else document
        part[name] = other(part[name])

    with pytest.raises(WireError):
        check_proof(changed(change))


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (lambda d: d["line"].update(debit_micros=d["line"]["debit_micros"] + 5_000_000, leaf=None), MerkleRootError,
         "what the line says and its path do not lead to its root"),
        (lambda d: d["interval"].update(import_wh=2**64), ProofError, "interval.import_wh must be there"),
        (lambda d: d["interval"].update(blinding="00"), ProofError, "blinding"),
        (lambda d: d["interval"].update(meter_id="M" * 33), ProofError, "interval.meter_id"),
        (lambda d: d["interval"].pop("quality"), ProofError, "interval.quality must be there, as text"),
        (lambda d: d["interval"].update(start_at="2026-06-01T09:30:00"), ProofError, "with its zone"),
        (lambda d: d.update(line=[]), ProofError, "line must be an object"),
        (lambda d: d["line"].update(wallet="0OIl"), ProofError, "line.wallet must be there, in base58"),
        (lambda d: d["line"].update(wallet="11"), ProofError, "line.wallet must be there, as an address"),
        (lambda d: d["line"].update(index=2**32), ProofError, "line.index"),
        (lambda d: d["chain"].update(interval_account=5), ProofError, "chain.interval_account must be there, as text"),
        (lambda d: d["reading"].update(import_wh=1), ProofError, "the signed record says"),
        (lambda d: d.update(reading_id="00" * 32), ProofError, "reading_id is not that of the signed bytes"),
    ],
)  # fmt: skip
def test_what_does_not_hold_is_named(
    change: Callable[[dict[str, Any]], object], error: type[WireError], words: str
) -> None:
    with pytest.raises(error, match=words):
        check_proof(changed(change))


@pytest.mark.parametrize(
    ("gone", "left"),
    [(("interval", "line", "chain", "reading"), 0), (("line", "chain"), 1), (("chain",), 2)],
)
def test_a_proof_may_end_at_any_rung(gone: tuple[str, ...], left: int) -> None:
    document = {name: value for name, value in PROOF.items() if name not in gone}
    assert len(check_proof(document).roots) == left
