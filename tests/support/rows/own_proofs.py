"""Makes the proofs that a participant keeps: a signed reading, and the rung of a meter in an attested interval."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nacl.signing import SigningKey

from edge.wire import merkle
from edge.wire.frames import seal
from edge.wire.ladder import interval_leaf
from edge.wire.proofs import make_proof
from edge.wire.records import Reading, encode_record
from hub.clock import rfc3339_s

GATEWAY = "gw-north"


@dataclass(frozen=True)
class LeafRow:
    """A meter's energy in [start, end) with its blinding: the content of its leaf."""

    start_s: int
    end_s: int
    meter_id: str
    import_wh: int
    export_wh: int
    blinding: bytes

    @property
    def leaf(self) -> bytes:
        energy = self.import_wh, self.export_wh
        return interval_leaf(self.start_s, self.end_s, self.meter_id, *energy, "valid", self.blinding)


def signed_reading(key: SigningKey, meter_id: str, slot_s: int, registers: tuple[int, int]) -> dict[str, Any]:
    """Returns a proof that ends with the frame; the registers are import and export in Wh."""
    record = encode_record(Reading(0, 1, slot_s, 40, "S", "G", 0, *registers))
    frame = seal(
        gateway_id=GATEWAY, boot_id=b"b" * 16, sequence=1, previous_hash=bytes(32), sealed_at_ms=slot_s * 1000 + 500,
        records=[record], signing_key=key,
    )  # fmt: skip
    import_wh, export_wh = registers
    return make_proof(frame, 0, bytes(key.verify_key)) | {
        "reading": {
            "meter_id": meter_id, "slot_at": rfc3339_s(slot_s), "import_wh": import_wh, "export_wh": export_wh,
        }
    }  # fmt: skip


def interval_rung(rows: Sequence[LeafRow], row: LeafRow) -> dict[str, Any]:
    """Returns the rung of one meter in an interval with these meters, of revision 1."""
    leaves, index = [meter.leaf for meter in rows], rows.index(row)
    return {
        "start_at": rfc3339_s(row.start_s),
        "end_at": rfc3339_s(row.end_s),
        "revision": 1,
        "merkle_root": merkle.root(leaves).hex(),
        "leaf": row.leaf.hex(),
        "meter_id": row.meter_id,
        "import_wh": row.import_wh,
        "export_wh": row.export_wh,
        "quality": "valid",
        "blinding": row.blinding.hex(),
        "index": index,
        "count": len(leaves),
        "path": [digest.hex() for digest in merkle.path(leaves, index)],
    }
