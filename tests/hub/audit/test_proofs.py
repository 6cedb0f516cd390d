"""A proof file becomes the reading and the leaf that it shows, or the fault that it has."""

import json
from pathlib import Path
from typing import Any

import pytest
from nacl.signing import SigningKey

from edge.wire.frames import seal
from edge.wire.proofs import make_proof
from edge.wire.records import Stop, encode_record
from hub.audit import proofs
from hub.audit.facts import PublicInterval
from hub.audit.proofs import ProofFileError, ProvenLeaf, ReadingProof, SignedReading, parse_proof, read_proof
from support.programs.dishonest_hub import HubStatement, Stage
from support.rows.own_proofs import GATEWAY


@pytest.fixture
def document(stage: Stage, told: HubStatement) -> dict[str, Any]:
    """The proof of Ben's reading at the end of the interval."""
    return stage.proofs("ben", told)[1]


def test_a_proof_shows_a_reading_and_its_place(
    document: dict[str, Any], stage: Stage, told: HubStatement, honest: PublicInterval
) -> None:
    assert parse_proof("mine", document) == ReadingProof(
        "mine",
        reading=SignedReading(
            "METER_002", GATEWAY, bytes(stage.gateway_key.verify_key), told.end_s, told.end_s, 5_500, 7_000
        ),
        leaf=ProvenLeaf(told.start_s, told.end_s, 1, honest.revisions[0].merkle_root, 3, 500, 0, "valid"),
    )


def test_the_meter_is_named_by_the_interval_or_else_by_the_reading(document: dict[str, Any]) -> None:
    del document["interval"]
    proof = parse_proof("mine", document)
    assert proof.leaf is None and proof.reading is not None and proof.reading.meter_id == "METER_002"
    del document["reading"]
    unnamed = parse_proof("mine", document)
    assert unnamed.reading is not None and unnamed.reading.meter_id == ""


def test_a_step_that_does_not_hold_is_the_proofs_fault(document: dict[str, Any]) -> None:
    document["interval"]["quality"] = "estimated"
    proof = parse_proof("mine", document)
    assert (proof.name, proof.reading, proof.leaf) == ("mine", None, None)
    assert proof.fault
    assert not proof.concerns(0, 2**40)


def test_a_proof_concerns_the_interval_of_its_leaf_or_else_of_its_reading(document: dict[str, Any]) -> None:
    proven = parse_proof("mine", document)
    assert proven.leaf is not None
    start_s, end_s = proven.leaf.start_s, proven.leaf.end_s
    assert proven.concerns(start_s, end_s)
    assert not proven.concerns(end_s, 2 * end_s - start_s) and not proven.concerns(start_s - 1, end_s)
    del document["interval"]
    signed = parse_proof("mine", document)
    assert signed.concerns(end_s - 1, end_s)
    assert not signed.concerns(end_s - 2, end_s - 1) and not signed.concerns(end_s, end_s + 1)


def test_a_record_that_is_no_reading_is_refused() -> None:
    key = SigningKey.generate()
    record = encode_record(Stop(1, "service"))
    frame = seal(gateway_id=GATEWAY, boot_id=b"b" * 16, sequence=1, previous_hash=bytes(32), sealed_at_ms=1,
                 records=[record], signing_key=key)  # fmt: skip
    with pytest.raises(ProofFileError, match="mine proves a record that is no reading"):
        parse_proof("mine", make_proof(frame, 0, bytes(key.verify_key)))


def test_a_file_is_read_up_to_the_longest_proof(
    document: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert proofs.MAX_PROOF_BYTES == 1_048_576
    file = tmp_path / "proof.json"
    file.write_text(json.dumps(document))
    monkeypatch.setattr(proofs, "MAX_PROOF_BYTES", file.stat().st_size)
    assert read_proof(file) == parse_proof("proof.json", document)
    monkeypatch.setattr(proofs, "MAX_PROOF_BYTES", file.stat().st_size - 1)
    with pytest.raises(ProofFileError, match="can not be read"):
        read_proof(file)
    with pytest.raises(ProofFileError, match="can not be read") as refused:
        read_proof(tmp_path / "none")
    assert refused.value.code == "proof_file"
    file.write_text("[" * 100_000)
    monkeypatch.setattr(proofs, "MAX_PROOF_BYTES", 100_000)
    with pytest.raises(ProofFileError, match="can not be read"):
        read_proof(file)
    file.write_text("[1]")
    with pytest.raises(ProofFileError, match="holds no JSON object"):
        read_proof(file)
