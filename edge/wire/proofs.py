"""The proof of one reading as a file (``peerwatt.proof/1``): made from a frame, checked with public keys alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edge.wire import merkle
from edge.wire.errors import MerkleRootError, ProofError, RecordCountError
from edge.wire.frames import Frame, Header, leaf_hash, verify_signature
from edge.wire.records import Record, decode_record

PROOF_FORMAT = "peerwatt.proof/1"


@dataclass(frozen=True)
class Proven:
    """What a checked proof shows."""

    reading_id: bytes
    header: Header
    record: Record


def make_proof(frame: Frame, index: int, public_key: bytes) -> dict[str, Any]:
    """The proof of record number ``index`` of a frame, ready for JSON; the hub may add further rungs.

    Raises:
        IndexError: the frame has no such record.
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
    """Follows a proof from the record to the signature.

    Raises:
        WireError: one of its leaf classes names the first thing that does not hold.
    """
    if document.get("format") != PROOF_FORMAT:
        raise ProofError(f"format must be {PROOF_FORMAT}")
    frame = Frame(_hex(document, "header"), _hex(document, "signature"), b"")
    header, record = frame.header, _hex(document, "record")
    if document.get("gateway_id") != header.gateway_id:
        raise ProofError(f"gateway_id is {document.get('gateway_id')!r}, the header says {header.gateway_id!r}")
    verify_signature(frame, _hex(document, "public_key"))
    index, count = _number(document, "index"), _number(document, "count")
    if count != header.record_count:
        raise RecordCountError(f"count is {count}, the header says {header.record_count}")
    leaf = leaf_hash(header.gateway_id, record)
    if not merkle.verify(leaf, index, count, _path(document), header.merkle_root):
        raise MerkleRootError("record and path do not lead to the header's Merkle root")
    return Proven(leaf, header, decode_record(record))


def _hex(document: Mapping[str, Any], name: str) -> bytes:
    try:
        return bytes.fromhex(document[name])
    except (KeyError, TypeError, ValueError) as error:
        raise ProofError(f"{name} must be there, in hex") from error


def _number(document: Mapping[str, Any], name: str) -> int:
    value = document.get(name)
    if type(value) is not int:
        raise ProofError(f"{name} must be there, as an integer")
    return value


def _path(document: Mapping[str, Any]) -> list[bytes]:
    path = document.get("path")
    if not isinstance(path, list) or not all(isinstance(step, str) and len(step) == 64 for step in path):
        raise ProofError("path must be a list of hashes in hex")
    try:
        return [bytes.fromhex(step) for step in path]
    except ValueError as error:
        raise ProofError("path must be a list of hashes in hex") from error
