"""What a participant brings: proofs of their own signed readings, as the hub or their gateway made them.

Each is checked here from the record to the signature and up its rungs; ``own_checks`` compares them with the chain.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.wire.errors import WireError
from edge.wire.fields import Fields
from edge.wire.kinds import Reading
from edge.wire.proofs import check_proof
from hub.errors import PermanentError

MAX_PROOF_BYTES = 1024 * 1024


class ProofFileError(PermanentError):
    """A file that holds no proof of a reading."""

    code = "proof_file"


@dataclass(frozen=True, slots=True)
class SignedReading:
    """The registers that a gateway signed; which meter they are of is what the proof says."""

    meter_id: str
    gateway_id: str
    public_key: bytes
    sealed_s: int
    slot_s: int
    import_wh: int
    export_wh: int


@dataclass(frozen=True, slots=True)
class ShownLeaf:
    """The meter's place in an attested interval, with a path that leads to this root."""

    start_s: int
    end_s: int
    revision: int
    root: bytes
    count: int
    import_wh: int
    export_wh: int
    quality: str


@dataclass(frozen=True, slots=True)
class OwnProof:
    """One proof; ``fault`` says what of it does not hold, and then there is nothing else."""

    name: str
    """Of the file."""
    fault: str | None = None
    reading: SignedReading | None = None
    leaf: ShownLeaf | None = None

    def is_of(self, start_s: int, end_s: int) -> bool:
        """Whether it speaks of this interval: by its leaf, or because the reading was taken in it."""
        if self.leaf is not None:
            return self.leaf.start_s == start_s
        return self.reading is not None and start_s < self.reading.slot_s <= end_s


def read_proof(path: Path) -> OwnProof:
    """The proof in a file.

    Raises:
        ProofFileError: there is no such file, or no JSON object of a reading in it.
    """
    try:
        with path.open("rb") as file:
            document = json.loads(file.read(MAX_PROOF_BYTES))
    except (OSError, ValueError, RecursionError) as error:
        raise ProofFileError(f"{path} can not be read ({error}): name a proof that the hub gave out") from error
    if not isinstance(document, dict):
        raise ProofFileError(f"{path} holds no JSON object: name a proof that the hub gave out")
    return own_proof(path.name, document)


def own_proof(name: str, document: dict[str, Any]) -> OwnProof:
    """Follows the document's rungs; what does not hold becomes its fault."""
    try:
        return _followed(name, document)
    except WireError as error:
        return OwnProof(name, fault=str(error))


def _followed(name: str, document: dict[str, Any]) -> OwnProof:
    proven, fields = check_proof(document), Fields(document)
    record, header = proven.record, proven.header
    if not isinstance(record, Reading):
        raise ProofFileError(f"{name} proves a record that is no reading: name the proof of a reading")
    rung, shown = fields.part("interval"), fields.part("reading")
    named = rung or shown
    reading = SignedReading(
        meter_id="" if named is None else named.text("meter_id"),
        gateway_id=header.gateway_id,
        public_key=fields.octets("public_key"),
        sealed_s=header.sealed_at_ms // 1000,
        slot_s=record.slot_s,
        import_wh=record.import_wh,
        export_wh=record.export_wh,
    )
    return OwnProof(name, reading=reading, leaf=None if rung is None else _leaf(rung))


def _leaf(rung: Fields) -> ShownLeaf:
    return ShownLeaf(
        start_s=rung.seconds("start_at"),
        end_s=rung.seconds("end_at"),
        revision=rung.number("revision"),
        root=rung.octets("merkle_root"),
        count=rung.number("count"),
        import_wh=rung.number("import_wh"),
        export_wh=rung.number("export_wh"),
        quality=rung.text("quality"),
    )
