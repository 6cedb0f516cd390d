"""Every reason why a frame is refused, by name."""

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.signing import SigningKey

from edge.wire import codec, keys, merkle
from edge.wire.frames import Frame, encode_body, leaf_hash, seal
from edge.wire.kinds import CounterEvent
from edge.wire.quantities import ACTIVE_POWER
from edge.wire.records import decode_record, encode_record
from hub.ingest.contents import active_power_w, contents_of
from hub.ingest.doubts import MAX_REGISTER_WH
from hub.ingest.verify import Accepted, GatewayKey, KeyRing, Refused, verify
from support.rows.gateways import START_S, SealingGateway, reading

NORTH = SealingGateway("gw-north", key=SigningKey(bytes(32)))
PUBLIC = bytes(NORTH.key.verify_key)
KEY_ID = keys.key_id(PUBLIC)
RECEIVED_MS = (START_S + 3600) * 1000
FRAME = NORTH.seal([reading(0, 1), reading(1, 1)])


def key_ring(status: str = "active", valid_until_ms: int | None = None, public_key: bytes = PUBLIC) -> KeyRing:
    return KeyRing(frozenset({"gw-north"}), {("gw-north", KEY_ID): GatewayKey(public_key, status, valid_until_ms)})


def code(payload: bytes, keys_known: KeyRing | None = None, subject: str = "pw.frame.gw-north") -> str:
    """Returns why a message is refused, or "accepted"."""
    verdict = verify(payload, subject, keys_known or key_ring(), RECEIVED_MS)
    return verdict.code if isinstance(verdict, Refused) else "accepted"


def header(**changes: object) -> bytes:
    """Returns a well-signed frame with these fields of its header changed; None leaves a field out."""
    names = ["tag", "gateway_id", "key_id", "boot_id", "sequence", "previous", "count", "root", "sealed_at_ms"]
    fields = dict(zip(names, codec.unpack(FRAME.header_bytes, limit=256), strict=True)) | changes
    data = msgpack.packb([value for value in fields.values() if value is not None])
    return Frame(data, keys.sign(NORTH.key, data), FRAME.body).encode()


def with_records(*records: bytes) -> bytes:
    """Returns a well-signed frame with these bytes as its records."""
    root = merkle.root([leaf_hash("gw-north", record) for record in records])
    data = codec.unpack(header(count=len(records), root=root), limit=1 << 17)[0]
    assert isinstance(data, bytes)
    return Frame(data, keys.sign(NORTH.key, data), encode_body(records)).encode()


def record(**changes: int) -> bytes:
    names = ["kind", "meter", "sequence", "slot_s", "offset", "quality", "state", "flags", "import_wh", "export_wh"]
    fields = dict(zip(names, codec.unpack(encode_record(reading(0, 1)), limit=480)[:10], strict=True)) | changes
    return bytes(msgpack.packb(list(fields.values())))


YEAR_9000 = 221_845_392_000
GOOD, HEADER = FRAME.encode(), FRAME.header_bytes
CASES = {
    "accepted": GOOD,
    "malformed": GOOD[:-1],
    "trailing_bytes": GOOD + b"\0",
    "wrong_type": msgpack.packb({"a": 1}),
    "wrong_arity": msgpack.packb([b"", b""]),
    "too_long": bytes(200_000),
    "non_canonical": b"\xdc\x00\x03" + GOOD[1:],
    "unknown_version": header(tag=b"peerwatt/frame/3"),
    "out_of_range": header(boot_id=b"short"),
    "record_count": header(count=3),
    "merkle_root": header(root=bytes(32)),
    "unknown_kind": with_records(record(kind=77)),
    "gateway_unknown": SealingGateway("gw-nowhere", key=NORTH.key).seal([reading(0, 1)]).encode(),
    "key_unknown": header(key_id=bytes(8)),
    "signature_invalid": Frame(HEADER, keys.sign(NORTH.key, b"other bytes"), FRAME.body).encode(),
    "non_canonical_signature": Frame(HEADER, FRAME.signature[:32] + b"\xff" * 32, FRAME.body).encode(),
    "low_order_signature": Frame(HEADER, bytes(64), FRAME.body).encode(),
}


@pytest.mark.parametrize("expected", CASES)
def test_each_reason_has_its_name(expected: str) -> None:
    subject = "pw.frame.gw-nowhere" if expected == "gateway_unknown" else "pw.frame.gw-north"
    assert code(CASES[expected], subject=subject) == expected


def test_the_subject_must_be_the_gateways_own() -> None:
    assert code(GOOD, subject="pw.frame.gw-south") == "subject_mismatch"


def test_a_key_must_be_accepted() -> None:
    sealed_at_ms = FRAME.header.sealed_at_ms
    assert code(GOOD, key_ring("pending")) == "key_not_active"
    assert code(GOOD, key_ring("revoked")) == "key_not_active"
    assert code(GOOD, key_ring("retired", sealed_at_ms)) == "accepted", "a backlog of the key before"
    assert code(GOOD, key_ring("retired", sealed_at_ms - 1)) == "key_not_active"


def test_moments_that_no_database_holds_are_refused() -> None:
    assert code(header(sealed_at_ms=2**63 - 1)) == "out_of_range"
    assert code(with_records(record(slot_s=2**40))) == "out_of_range"
    assert code(with_records(record(slot_s=YEAR_9000))) == "accepted"
    assert code(with_records(record(slot_s=YEAR_9000 + 1))) == "out_of_range"
    assert code(with_records(record(import_wh=2**63))) == "out_of_range"


@given(st.integers(0, len(GOOD) * 8 - 1))
def test_any_flipped_bit_is_refused(bit: int) -> None:
    flipped = bytearray(GOOD)
    flipped[bit // 8] ^= 1 << bit % 8
    assert code(bytes(flipped)) != "accepted"


@given(st.binary(max_size=300))
def test_noise_is_refused_and_never_crashes(noise: bytes) -> None:
    assert code(noise) != "accepted"
    assert code(with_records(noise)) != "accepted" or decode_record(noise) is not None


def test_contents_carry_power_and_times() -> None:
    verdict = verify(GOOD, "pw.frame.gw-north", key_ring(), RECEIVED_MS)
    assert isinstance(verdict, Accepted)
    first = verdict.contents.readings[0]
    assert (first.reading_id, first.active_power_w) == (FRAME.leaves[0], 1080)
    assert (first.record_index, first.meter_index, first.meter_sequence, first.flags) == (0, 0, 1, 0)
    assert (first.time_quality, first.meter_state, first.import_wh, first.export_wh) == ("S", "G", 1003, 501)
    assert (first.slot_s, first.read_at_ms) == (START_S + 10, (START_S + 10) * 1000 + 120)


@pytest.mark.parametrize(
    ("value", "scale", "watts"),
    [
        (1234, -1, 123),
        (1235, -1, 124),
        (-1235, -1, -123),
        (12, 2, 1200),
        (12, 0, 12),
        (2**63 - 1, 0, 2**63 - 1),
        (2**62, 1, None),
        (2**63, 0, None),
        (-(2**63), 0, None),
    ],
)
def test_power_is_rounded_half_up(value: int, scale: int, watts: int | None) -> None:
    assert active_power_w(reading(0, 1, quantities=((ACTIVE_POWER, value, scale),))) == watts


def test_a_number_in_a_longer_form_is_refused_though_the_fast_decoder_looks_first() -> None:
    short = encode_record(reading(3, 1))
    assert short[2] == 3
    assert code(with_records(short[:2] + b"\xcc\x03" + short[3:])) == "non_canonical"


def test_a_row_is_the_same_whichever_decoder_reads_it() -> None:
    fast, full = reading(0, 1), reading(0, 1, quantities=((ACTIVE_POWER, 1080, 0), (ACTIVE_POWER, 1080, 0)))
    rows = contents_of(NORTH.seal([fast, full]), RECEIVED_MS).readings
    assert [row[2:] for row in rows] == [rows[0][2:]] * 2
    assert rows[0].active_power_w == 1080


LAST_RANGE, TWICE = MAX_REGISTER_WH, ((ACTIVE_POWER, 1, 0), (ACTIVE_POWER, 1, 0))


@pytest.mark.parametrize("quantities", [(), TWICE], ids=["fast decoder", "full decoder"])
@pytest.mark.parametrize(
    ("changes", "sealed_after_ms", "received_after_ms", "doubt"),
    [
        ({"import_wh": LAST_RANGE, "export_wh": LAST_RANGE}, 0, 0, ""),
        ({"import_wh": LAST_RANGE + 1}, 0, 0, "range"),
        ({"export_wh": LAST_RANGE + 1}, 0, 0, "range"),
        ({}, -1_120, -60_120, ""),
        ({}, -1_121, 0, "clock"),
        ({}, 0, -60_121, "clock"),
    ],
)
def test_what_can_not_be_true_is_kept_in_doubt(
    quantities: tuple[tuple[int, int, int], ...], changes: dict[str, int], sealed_after_ms: int, received_after_ms: int,
    doubt: str,
) -> None:  # fmt: skip
    """Registers that no meter shows, a reading later than its frame's seal, a slot later than its receipt."""
    record = reading(0, 1, read_offset_ms=120, quantities=quantities, **changes)
    read_ms = record.slot_s * 1000 + 120
    received_ms = record.slot_s * 1000 + 120 + received_after_ms
    frame = seal(
        gateway_id="gw-north", boot_id=bytes(16), sequence=1, previous_hash=bytes(32), signing_key=NORTH.key,
        sealed_at_ms=read_ms + sealed_after_ms + (120 if sealed_after_ms else 0), records=[encode_record(record)],
    )  # fmt: skip
    (row,) = contents_of(frame, received_ms).readings
    assert row.doubt == doubt


def test_a_counter_event_is_a_row() -> None:
    event = CounterEvent(0, START_S, "reset", 4, 6, 8, 1000, 0, 0, 0)
    (row,) = contents_of(NORTH.seal([reading(0, 1), event]), RECEIVED_MS).events
    assert row == (1, event)
