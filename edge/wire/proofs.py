"""Makes and checks the proof of one reading as a file (``peerwatt.proof/1``), with public keys alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edge.wire import merkle
from edge.wire.errors import MerkleRootError, ProofError, RecordCountError
from edge.wire.fields import Fields
from edge.wire.frames import Frame, Header, leaf_hash, verify_signature
from edge.wire.kinds import Reading
from edge.wire.ladder import Root, check_ladder
from edge.wire.records import Record, decode_record

PROOF_FORMAT = "peerwatt.proof/1"


@dataclass(frozen=True)
class Proven:
    """What a checked proof shows."""

    reading_id: bytes
    header: Header
    record: Record
    roots: tuple[Root, ...]
    """Those of the rungs above the frame; empty for a proof that ends with it."""


def make_proof(frame: Frame, index: int, public_key: bytes) -> dict[str, Any]:
    """Makes the proof of record number ``index`` (from 0) of a frame, ready for JSON; the hub may add further rungs.

    Raises:
        IndexError: the frame has no such record.
        WireError: the frame can not be decoded.
    """
    return {
        "format": PROOF_FORMAT,
        "gateway_id": frame.header.gateway_id,
        "public_key": public_key.hex(),
        "header": frame.header_bytes.hex(),
        "signature": frame.signature.hex(),
        "record": frame.records[index].hex(),
        "index": index,
        "count": len(frame.records),
        "path": [neighbour.hex() for neighbour in merkle.path(frame.leaves, index)],
    }


def check_proof(document: Mapping[str, Any]) -> Proven:
    """Checks a proof from the record to the signature, and up the rungs that the hub added.

    Raises:
        WireError: one of its leaf classes names the first thing that does not hold.
    """
    proof = Fields(document)
    if document.get("format") != PROOF_FORMAT:
        raise ProofError(f"format must be {PROOF_FORMAT}")
    frame = Frame(proof.octets("header"), proof.octets("signature"), b"")
    header, record = frame.header, proof.octets("record")
    if proof.text("gateway_id") != header.gateway_id:
        raise ProofError(f"gateway_id is {proof.text('gateway_id')!r}, the header says {header.gateway_id!r}")
    verify_signature(frame, proof.octets("public_key"))
    index, count = proof.number("index"), proof.number("count")
    if count != header.record_count:
        raise RecordCountError(f"count is {count}, the header says {header.record_count}")
    leaf = leaf_hash(header.gateway_id, record)
    if not merkle.verify(leaf, index, count, proof.path(), header.merkle_root):
        raise MerkleRootError("record and path do not lead to the header's Merkle root")
    named = {"reading_id": leaf, "header_hash": frame.header_hash, "key_id": header.key_id}
    for name, value in named.items():
        if name in proof and proof.octets(name) != value:
            raise ProofError(f"{name} is not that of the signed bytes, which is {value.hex()}")
    decoded = decode_record(record, header.version)
    roots = check_ladder(proof, decoded) if isinstance(decoded, Reading) else []
    return Proven(leaf, header, decoded, tuple(roots))
