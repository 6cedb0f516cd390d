"""Reads and checks a participant's proofs of their own signed readings, as the hub or their gateway issued them.

A proof is checked here from the record to the signature and up its rungs; ``own_checks`` compares it with the chain.
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
    """The file holds no proof of a reading."""

    code = "proof_file"


@dataclass(frozen=True, slots=True)
class SignedReading:
    """The registers that a gateway signed. The meter's id is not signed: it is what the proof document says."""

    meter_id: str
    gateway_id: str
    public_key: bytes
    sealed_s: int
    slot_s: int
    import_wh: int
    export_wh: int


@dataclass(frozen=True, slots=True)
class ProvenLeaf:
    """The meter's leaf in an attested interval; its path leads to ``root``."""

    start_s: int
    end_s: int
    revision: int
    root: bytes
    count: int
    """The number of leaves in the tree."""
    import_wh: int
    export_wh: int
    quality: str


@dataclass(frozen=True, slots=True)
class ReadingProof:
    """A checked proof of one reading."""

    name: str
    """The file's name."""
    fault: str | None = None
    """Why the proof does not hold; then there is neither reading nor leaf."""
    reading: SignedReading | None = None
    leaf: ProvenLeaf | None = None

    def concerns(self, start_s: int, end_s: int) -> bool:
        """Whether it proves something about this interval: by its leaf, or because the reading was taken in it."""
        if self.leaf is not None:
            return self.leaf.start_s == start_s
        return self.reading is not None and start_s < self.reading.slot_s <= end_s


def read_proof(path: Path) -> ReadingProof:
    """Reads and checks the proof in a file.

    Raises:
        ProofFileError: the file can not be read, or holds no proof of a reading.
    """
    try:
        with path.open("rb") as file:
            document = json.loads(file.read(MAX_PROOF_BYTES))
    except (OSError, ValueError, RecursionError) as error:
        raise ProofFileError(f"{path} can not be read ({error}): name a proof that the hub gave out") from error
    if not isinstance(document, dict):
        raise ProofFileError(f"{path} holds no JSON object: name a proof that the hub gave out")
    return parse_proof(path.name, document)


def parse_proof(name: str, document: dict[str, Any]) -> ReadingProof:
    """Checks a proof document; a rung that does not hold becomes the proof's fault.

    Raises:
        ProofFileError: the record is not a reading.
    """
    try:
        return _checked(name, document)
    except WireError as error:
        return ReadingProof(name, fault=str(error))


def _checked(name: str, document: dict[str, Any]) -> ReadingProof:
    proven, fields = check_proof(document), Fields(document)
    record, header = proven.record, proven.header
    if not isinstance(record, Reading):
        raise ProofFileError(f"{name} proves a record that is no reading: name the proof of a reading")
    rung = fields.part("interval")
    meter_source = rung or fields.part("reading")
    reading = SignedReading(
        meter_id="" if meter_source is None else meter_source.text("meter_id"),
        gateway_id=header.gateway_id,
        public_key=fields.octets("public_key"),
        sealed_s=header.sealed_at_ms // 1000,
        slot_s=record.slot_s,
        import_wh=record.import_wh,
        export_wh=record.export_wh,
    )
    return ReadingProof(name, reading=reading, leaf=None if rung is None else _leaf(rung))


def _leaf(rung: Fields) -> ProvenLeaf:
    return ProvenLeaf(
        start_s=rung.seconds("start_at"),
        end_s=rung.seconds("end_at"),
        revision=rung.number("revision"),
        root=rung.octets("merkle_root"),
        count=rung.number("count"),
        import_wh=rung.number("import_wh"),
        export_wh=rung.number("export_wh"),
        quality=rung.text("quality"),
    )
