"""Verifies a reading's proof, an exported chain or the own ledger with public keys alone, and exports the own chain."""

import json
from pathlib import Path
from typing import Any

from edge.errors import ConfigError, VerificationError
from edge.keystore import load_frame_key
from edge.offline.frame_chain import check_chain, open_chain, write_chain
from edge.offline.ledger_reader import open_ledger
from edge.settings import Settings, load_settings
from edge.wire.errors import WireError
from edge.wire.proofs import PROOF_FORMAT, check_proof

MAX_PROOF_BYTES = 1024 * 1024


def verify(config: Path | None, file: Path | None, public_key: str | None) -> dict[str, Any]:
    """Verifies a file, or without one the own ledger; ``public_key`` (hex) is the one that is expected.

    Returns the report, ready for JSON: ``ok`` says whether everything holds, ``faults`` what does not.

    Raises:
        VerificationError: the file is neither a proof nor a chain, is signed by another key, or can not be read.
        ConfigError, KeyFileError: the own ledger was asked for, and settings, ledger or key are missing or wrong.
    """
    expected = _parse_key(public_key) if public_key else None
    if file is None:
        return _verify_ledger(load_settings(config), expected)
    try:
        with file.open("rb") as opened:
            head = opened.read(MAX_PROOF_BYTES)
        if PROOF_FORMAT.encode() in head:
            return _verify_proof(_parse_object(head), expected)
    except (OSError, ValueError, RecursionError) as error:
        raise VerificationError(f"{file} can not be read ({error}): name a proof or an exported chain") from error
    with open_chain(file) as (key, frames):
        if expected is not None and expected != key:
            raise VerificationError(f"{file} is signed by {key.hex()}, not by the expected {expected.hex()}")
        return check_chain(frames, key).as_json()


def _parse_object(data: bytes) -> dict[str, Any]:
    document = json.loads(data)
    if not isinstance(document, dict):
        raise ValueError("it is no JSON object")  # noqa: TRY004 - what is no JSON is a ValueError too
    return document


def export(config: Path | None, out: Path) -> dict[str, Any]:
    """Writes the own chain to a file, and returns how many frames it has.

    Raises:
        ConfigError: settings or ledger are missing or wrong, or the file can not be written.
        KeyFileError: the frame key can not be read.
        VerificationError: the ledger is damaged.
    """
    settings = load_settings(config)
    public = bytes(load_frame_key(settings.state_dir / "keys").verify_key)
    with open_ledger(settings.state_dir) as reader:
        try:
            with out.open("w") as file:
                count = write_chain(file, settings.gateway_id, public, reader.frames())
        except OSError as error:
            raise ConfigError(f"{out} can not be written ({error.strerror}): choose another place") from error
    return {"ok": True, "file": str(out), "frames": count}


def _verify_ledger(settings: Settings, expected: bytes | None) -> dict[str, Any]:
    public = expected or bytes(load_frame_key(settings.state_dir / "keys").verify_key)
    with open_ledger(settings.state_dir) as reader:
        return check_chain(reader.frames(), public).as_json()


def _verify_proof(document: dict[str, Any], expected: bytes | None) -> dict[str, Any]:
    try:
        proven = check_proof(document)
    except WireError as error:
        return {"ok": False, "code": error.code, "faults": [str(error)]}
    if expected is not None and expected != bytes.fromhex(document["public_key"]):
        return {"ok": False, "code": "key_id", "faults": ["the proof is by another key than the expected one"]}
    record = proven.record
    fields = {name: getattr(record, name) for name in type(record).__slots__}
    return {
        "ok": True,
        "reading_id": proven.reading_id.hex(),
        "gateway_id": proven.header.gateway_id,
        "public_key": document["public_key"],
        "sealed_at_ms": proven.header.sealed_at_ms,
        "record": {name: value.hex() if isinstance(value, bytes) else value for name, value in fields.items()},
        "verified": ["frame", "reading", *(root.rung for root in proven.roots)],
        "compare_with_the_chain": [
            {"rung": root.rung, "root": root.root.hex(), "account": root.account} for root in proven.roots
        ],
    }


def _parse_key(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise VerificationError("--public-key must be 64 hex digits") from error
