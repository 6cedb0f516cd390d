"""Exports a gateway's chain of frames, and checks one with the gateway's public key: signatures and continuity."""

import contextlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from edge.errors import VerificationError
from edge.wire.errors import WireError
from edge.wire.frames import NO_PREVIOUS, Frame, check_body, decode_frame, verify_signature
from edge.wire.kinds import Gap, Reading
from edge.wire.records import decode_record

CHAIN_FORMAT = "peerwatt.chain/1"
MAX_LINE_BYTES = 512 * 1024


@dataclass
class ChainReport:
    """What a chain holds. ``faults`` lists what does not verify, ``gaps`` the frames that the gateway declared lost."""

    gateway_id: str = ""
    frames: int = 0
    readings: int = 0
    boots: int = 0
    first_ms: int | None = None
    """When the first frame was sealed, in ms since 1970; None without frames."""
    last_ms: int | None = None
    gaps: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Returns the fields and ``ok``: there are no faults."""
        return {**self.__dict__, "ok": not self.faults}


def write_chain(out: TextIO, gateway_id: str, public_key: bytes, frames: Iterable[Frame]) -> int:
    """Writes a line of JSON that names format, gateway and key, then one frame a line in hex; returns how many.

    Raises:
        OSError: it can not be written.
    """
    out.write(json.dumps({"format": CHAIN_FORMAT, "gateway_id": gateway_id, "public_key": public_key.hex()}) + "\n")
    count = 0
    for frame in frames:
        out.write(frame.encode().hex() + "\n")
        count += 1
    return count


@contextlib.contextmanager
def open_chain(path: Path) -> Iterator[tuple[bytes, Iterator[bytes]]]:
    """Gives the public key that the file names, and the bytes of its frames one by one.

    Raises:
        VerificationError: this is no exported chain, or it can not be read.
    """
    try:
        with path.open("rb") as file:
            yield _read_public_key(path, file.readline(MAX_LINE_BYTES)), _read_frames(file)
    except OSError as error:
        raise VerificationError(f"{path} can not be read ({error.strerror}): check the name and its owner") from error


def _read_public_key(path: Path, line: bytes) -> bytes:
    try:
        head = json.loads(line)
        if head["format"] != CHAIN_FORMAT:
            raise VerificationError(f"{path} is {head['format']}, not {CHAIN_FORMAT}")
        return bytes.fromhex(head["public_key"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise VerificationError(f"{path} is no exported chain: make one with `peerwatt-edge export`") from error


def _read_frames(file: BinaryIO) -> Iterator[bytes]:
    """Reads one frame a line; a line that is too long or not hex gives no bytes, a fault for ``check_chain``."""
    while line := file.readline(MAX_LINE_BYTES):
        part = line
        while part and not part.endswith(b"\n"):
            part = file.readline(MAX_LINE_BYTES)
            if part:
                line = b""
        try:
            yield bytes.fromhex(line.decode("ascii"))
        except ValueError:
            yield b""


def check_chain(frames: Iterable[bytes | Frame], public_key: bytes) -> ChainReport:
    """Checks every frame, and that each follows from the one before; goes on after a fault, to report all of them."""
    report = ChainReport()
    before: Frame | None = None
    for number, sealed in enumerate(frames, start=1):
        try:
            frame = _verified(sealed, public_key)
            _count(report, frame)
        except WireError as error:
            report.faults.append(f"frame {number}{_name(sealed)}: {error.code}: {error}")
            before = None
            continue
        if before is None or before.header.boot_id != frame.header.boot_id:
            report.boots += 1
        if before is not None and (fault := _continuity_fault(before, frame)):
            report.faults.append(f"frame {number}{_name(frame)}: {fault}")
        before = frame
    if not report.frames and not report.faults:
        report.faults.append("there is no frame: nothing was checked")
    return report


def _verified(sealed: bytes | Frame, public_key: bytes) -> Frame:
    if isinstance(sealed, bytes):
        frame = decode_frame(sealed)
    else:
        frame = sealed
        check_body(frame)
    verify_signature(frame, public_key)
    return frame


def _continuity_fault(before: Frame, frame: Frame) -> str:
    """Says why a frame does not follow from the one before; empty when it does."""
    last, header = before.header, frame.header
    if header.previous_hash == before.header_hash:
        expected = last.sequence + 1 if header.boot_id == last.boot_id else 1
        return "" if header.sequence == expected else f"sequence is {header.sequence}, expected {expected}"
    if header.previous_hash == NO_PREVIOUS and header.boot_id != last.boot_id:
        return ""
    return f"does not follow from {last.boot_id.hex()[:8]}/{last.sequence}: frames were dropped, inserted or reordered"


def _count(report: ChainReport, frame: Frame) -> None:
    header = frame.header
    records = [decode_record(record, frame.header.version) for record in frame.records]
    report.gateway_id = header.gateway_id
    report.frames += 1
    report.readings += sum(isinstance(record, Reading) for record in records)
    report.first_ms = header.sealed_at_ms if report.first_ms is None else report.first_ms
    report.last_ms = header.sealed_at_ms
    report.gaps += [f"{r.boot_id.hex()}/{r.first}-{r.last}: {r.reason}" for r in records if isinstance(r, Gap)]


def _name(sealed: bytes | Frame) -> str:
    """Names a frame in a fault: " (boot id/sequence)"; empty when its header can not be read."""
    try:
        header = (decode_frame(sealed) if isinstance(sealed, bytes) else sealed).header
    except WireError:
        return ""
    return f" ({header.boot_id.hex()[:8]}/{header.sequence})"
