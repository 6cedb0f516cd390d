"""Makes the golden vectors of both versions of the wire format.

`python -m support.rows.wire_vectors` in tests/ rewrites the file of the newest; that of version 1 stays as it is.
"""

import json
from pathlib import Path
from typing import Any

from nacl.signing import SigningKey

from edge.wire import frames, keys, merkle, proofs, quantities, receipts, records
from edge.wire.kinds import (
    BufferQuarantine,
    ClockStep,
    ConfigChange,
    CounterEvent,
    CounterEvent1,
    Gap,
    KeyRotation,
    MeterDeclared,
    Reading,
    Record,
    Start,
    Stop,
)

_FOLDER = Path(__file__).resolve().parents[2] / "contract"
FILES = {version: _FOLDER / f"wire_vectors_{version}.json" for version in (1, 2)}
GATEWAY = "gw-north"
GATEWAY_SEED, HUB_SEED = bytes(range(32)), bytes(range(100, 132))
BOOT, KERNEL_BOOT = bytes(range(16)), bytes(range(16, 32))
SLOT_S = 1_780_000_200
POWER = quantities.ACTIVE_POWER

RECORDS_1: dict[str, Record] = {
    "start": Start(SLOT_S * 1000 - 5_000, "U", KERNEL_BOOT, "0.1.0", b"\x11" * 32),
    "meter": MeterDeclared(1, "METER_001", "24010001", "sdm630", b"\x22" * 32, SLOT_S - 5),
    "reading": Reading(1, 1, SLOT_S, 137, "S", "G", 0, 12_345_678, 90_123, ((POWER, -4_321, 0),)),
    "reading_plain": Reading(2, 70_000, SLOT_S, 0, "I", "G", 4, 0, 2**63 - 1),
    "clock_step": ClockStep(SLOT_S * 1000, KERNEL_BOOT, 61_000, -3_600_000, "S"),
    "counter_event": CounterEvent1(1, SLOT_S, "step_back", 5_000, 4_950, 10, 10, "24010001"),
    "gap": Gap(BOOT, 5, 9, "evicted: disk full", SLOT_S * 1000),
    "config": ConfigChange(SLOT_S * 1000, b"\x33" * 32),
    "key_rotation": KeyRotation(b"\x44" * 32, b"\x55" * 64, SLOT_S * 1000),
    "buffer_quarantine": BufferQuarantine(SLOT_S * 1000, "malformed", "ledger.sqlite.bad-1", 4096),
    "stop": Stop(SLOT_S * 1000 + 5_000, "SIGTERM"),
}
RECORDS: dict[str, Record] = RECORDS_1 | {
    "confirmed_event": CounterEvent(
        1, SLOT_S, "swap", 70_000, 70_001, 70_003, 5_000_000, 54_000_000, 10, 0, 0, 0, "24010001", "24010002"
    ),
}
RECORDS_OF = {1: RECORDS_1, 2: RECORDS}


def build(version: int = 2) -> dict[str, Any]:
    """Returns every byte and every hash between a record and its receipt, in hex, in a version of the frames."""
    key = SigningKey(GATEWAY_SEED)
    public = bytes(key.verify_key)
    encoded = {name: records.encode_record(record) for name, record in RECORDS_OF[version].items()}
    first = _seal(version, key, 1, frames.NO_PREVIOUS, list(encoded.values())[:5])
    second = _seal(version, key, 2, first.header_hash, list(encoded.values())[5:])
    receipt = receipts.Receipt(GATEWAY, SLOT_S * 1000 + 10_000, {BOOT: [(1, 2)]}, {}, second.header_hash)
    return {
        "gateway_id": GATEWAY,
        "gateway_seed": GATEWAY_SEED.hex(),
        "gateway_public_key": public.hex(),
        "key_id": keys.key_id(public).hex(),
        "records": {name: data.hex() for name, data in encoded.items()},
        "frames": [_describe(first), _describe(second)],
        "proof": proofs.make_proof(first, 2, public),
        "hub_seed": HUB_SEED.hex(),
        "receipt": receipts.sign_receipt(receipt, SigningKey(HUB_SEED)).hex(),
        "empty_root": merkle.EMPTY_ROOT.hex(),
    }


def _seal(version: int, key: SigningKey, sequence: int, previous: bytes, encoded: list[bytes]) -> frames.Frame:
    return frames.seal(
        gateway_id=GATEWAY,
        boot_id=BOOT,
        sequence=sequence,
        previous_hash=previous,
        sealed_at_ms=SLOT_S * 1000 + sequence,
        records=encoded,
        signing_key=key,
        version=version,
    )


def _describe(frame: frames.Frame) -> dict[str, Any]:
    return {
        "header": frame.header_bytes.hex(),
        "header_hash": frame.header_hash.hex(),
        "signature": frame.signature.hex(),
        "body": frame.body.hex(),
        "leaves": [leaf.hex() for leaf in frame.leaves],
        "levels": [[node.hex() for node in level] for level in _levels(list(frame.leaves))],
        "merkle_root": frame.header.merkle_root.hex(),
        "frame": frame.encode().hex(),
    }


def _levels(level: list[bytes]) -> list[list[bytes]]:
    levels = [level]
    while len(level) > 1:
        pairs = [merkle.node(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
        level = pairs + level[len(pairs) * 2 :]
        levels.append(level)
    return levels


if __name__ == "__main__":
    FILES[2].write_text(json.dumps(build(), indent=1) + "\n")
