"""What is refused, and under which name: the codes are what operators find in quarantine."""

from collections.abc import Callable
from functools import partial

import msgpack
import pytest
from nacl.signing import SigningKey

from edge.wire import codec, frames, heartbeats, keys, proofs, quantities, records, resend_requests
from edge.wire.errors import WireError
from edge.wire.kinds import Reading, Stop
from support.rows.wire_vectors import POWER, SLOT_S, build

KEY = SigningKey(bytes(range(32)))
PUBLIC = bytes(KEY.verify_key)
IDENTITY_POINT = (1).to_bytes(32, "little")
ORDER_8_POINT = bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")


def reading(**changes: object) -> list[object]:
    values = {
        "kind": 1, "index": 1, "sequence": 1, "slot": SLOT_S, "offset": 0, "quality": ord("S"), "state": ord("G"),
        "flags": 0, "import": 1, "export": 2,
    }  # fmt: skip
    return list((values | changes).values())


def code_of(read: Callable[[], object]) -> str:
    with pytest.raises(WireError) as caught:
        read()
    return caught.value.code


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "malformed"),
        (b"\x9a\x01", "malformed"),
        (codec.pack(reading()) + b"\x00", "trailing_bytes"),
        (codec.pack(reading(export=-1)), "out_of_range"),
        (codec.pack(reading(export=2**63)), "out_of_range"),
        (codec.pack(reading(quality=ord("X"))), "out_of_range"),
        (codec.pack(reading(state=ord("?"))), "out_of_range"),
        (codec.pack(reading(slot=2**41)), "out_of_range"),
        (codec.pack(reading(flags=b"0")), "wrong_type"),
        (codec.pack(reading(flags=1.0)), "wrong_type"),
        (codec.pack(reading(flags=True)), "wrong_type"),
        (codec.pack(reading(flags=None)), "wrong_type"),
        (codec.pack(reading(kind=0)), "unknown_kind"),
        (codec.pack(reading(kind=12)), "unknown_kind"),
        (codec.pack([]), "unknown_kind"),
        (codec.pack(reading()[:9]), "wrong_arity"),
        (codec.pack([*reading(), [POWER, 1]]), "wrong_arity"),
        (codec.pack([*reading(), *[[POWER, 1, 0]] * 17]), "wrong_arity"),
        (msgpack.packb(7), "wrong_type"),
        (msgpack.packb({1: 2}), "wrong_type"),
        (b"\x9a" + b"\xcc\x01" + codec.pack(reading())[2:], "non_canonical"),
        (b"\xdc\x00\x0a" + codec.pack(reading())[1:], "non_canonical"),
        (codec.pack([4, 1, b"x"]).replace(b"\xc4\x01x", b"\xa1x"), "non_canonical"),
        (codec.pack([4, 1, b"\xff"]), "out_of_range"),
        (codec.pack([4, 1, b"x" * 500]), "too_long"),
        (codec.pack([8, 1, SLOT_S, b"miracle", 1, 1, 1, 1, b""]), "out_of_range"),
        (codec.pack([7, b"b" * 16, 5, 4, b"", 1]), "out_of_range"),
        (b"\x91" * 400, "malformed"),
        (b"\x91" * 400 + b"\x01", "malformed"),
    ],
)
def test_records(data: bytes, code: str) -> None:
    assert code_of(lambda: records.decode_record(data)) == code


@pytest.mark.parametrize("depth", [9, 100, 900, 960, 990, 999, 1000, 1010, 1024, 1025, 1030])
@pytest.mark.parametrize("read", [frames.decode_frame, heartbeats.decode_heartbeat])
def test_arrays_within_arrays(read: Callable[[bytes], object], depth: int) -> None:
    """Neither Python's stack nor msgpack's is what stops them."""
    assert code_of(lambda: read(b"\x91" * depth + b"\x01")) == "malformed"
    assert code_of(lambda: read(b"\x91" * 8 + b"\x01")) != "malformed"


def frame(**changes: object) -> frames.Frame:
    given = {
        "gateway_id": "gw-north", "boot_id": b"b" * 16, "sequence": 1, "previous_hash": bytes(32),
        "sealed_at_ms": 1, "records": [codec.pack(reading())] * 3, "signing_key": KEY,
    }  # fmt: skip
    return frames.seal(**(given | changes))  # type: ignore[arg-type]


def test_frames() -> None:
    good = frame()

    def read(*parts: object) -> str:
        return code_of(lambda: frames.decode_frame(codec.pack(parts)))

    header, signature, body = good.header_bytes, good.signature, good.body
    assert read(header, signature) == "wrong_arity"
    assert read(header, signature[:63], body) == "out_of_range"
    assert read(header, signature, body[:-1]) == "malformed"
    assert read(header, signature, body + body[: len(body) // 3]) == "record_count"
    assert read(header, signature, b"\x01" + body) == "wrong_type"
    assert read(header, signature, body[: len(body) // 3] * 2 + frames.encode_body([b"\x90"])) == "merkle_root"
    assert read(header.replace(b"peerwatt/frame/2", b"peerwatt/frame/3"), signature, body) == "unknown_version"
    assert read(header.replace(b"gw-north", b"GW-north"), signature, body) == "out_of_range"
    assert code_of(lambda: frames.decode_frame(bytes(frames.MAX_FRAME_BYTES + 1))) == "too_long"
    record = codec.pack(reading())
    longer = b"\xc5\x00" + bytes([len(record)]) + record
    assert read(header, signature, longer * 3) == "non_canonical"


def test_a_frame_under_another_key() -> None:
    other = SigningKey(bytes(32))
    assert code_of(lambda: frames.verify_signature(frame(), bytes(other.verify_key))) == "key_id"
    forged = frames.Frame(frame().header_bytes, keys.sign(other, frame().header_bytes), frame().body)
    assert code_of(lambda: frames.verify_signature(forged, PUBLIC)) == "bad_signature"


def test_what_can_not_be_sealed() -> None:
    assert code_of(lambda: frame(records=[])) == "out_of_range"
    assert code_of(lambda: frame(records=[b"\x90"] * 257)) == "out_of_range"
    assert code_of(lambda: frame(records=[bytes(481)])) == "too_long"
    assert code_of(lambda: frame(sequence=0)) == "out_of_range"
    assert code_of(lambda: frame(gateway_id="gw/north")) == "out_of_range"
    assert code_of(lambda: records.encode_record(Stop(1, "déjà"))) == "out_of_range"
    assert code_of(lambda: records.encode_record(Stop(-1, "what nobody can read"))) == "out_of_range"
    assert code_of(lambda: records.encode_record(Stop(2**64, "late"))) == "out_of_range"
    assert code_of(lambda: records.encode_record(Stop(10**40, "late"))) == "out_of_range"
    assert code_of(lambda: records.encode_record(Stop(-(2**70), "early"))) == "out_of_range"


def test_keys_and_signatures_have_one_form() -> None:
    message, order = b"m", 2**252 + 27742317777372353535851937790883648493
    good = keys.sign(KEY, message)
    keys.verify(PUBLIC, message, good)
    high_s = good[:32] + (int.from_bytes(good[32:], "little") + order).to_bytes(32, "little")
    assert code_of(lambda: keys.verify(PUBLIC, message, high_s)) == "non_canonical_signature"
    assert code_of(lambda: keys.verify(PUBLIC, message, b"\xff" * 32 + good[32:])) == "non_canonical_signature"
    for point in (IDENTITY_POINT, ORDER_8_POINT, bytes(32)):
        assert code_of(partial(keys.verify, PUBLIC, message, point + good[32:])) == "low_order_signature"
        assert code_of(partial(keys.verify, point, message, good)) == "low_order_key"
    beyond = (2**255 - 19 + 1).to_bytes(32, "little")
    assert code_of(lambda: keys.verify(beyond, message, good)) == "non_canonical_key"
    assert code_of(lambda: keys.verify(PUBLIC[:31], message, good)) == "out_of_range"
    assert code_of(lambda: keys.verify(PUBLIC, message, good[:63])) == "out_of_range"


def test_proof_files() -> None:
    good = build()["proof"]
    proofs.check_proof(good)
    for change, code in [
        ({"format": "peerwatt.proof/9"}, "proof"),
        ({"gateway_id": "gw-south"}, "proof"),
        ({"index": "2"}, "proof"),
        ({"index": 1}, "merkle_root"),
        ({"count": 6}, "record_count"),
        ({"record": good["record"][:-2] + "01"}, "merkle_root"),
        ({"path": good["path"][:-1]}, "merkle_root"),
        ({"path": ["zz" * 32]}, "proof"),
        ({"signature": "00" * 64}, "low_order_signature"),
        ({"public_key": bytes(SigningKey(bytes(32)).verify_key).hex()}, "key_id"),
        ({"header": None}, "proof"),
    ]:
        assert code_of(partial(proofs.check_proof, good | change)) == code, change


def test_ranges_have_one_form() -> None:
    def heartbeat(waiting: object) -> str:
        parts = msgpack.unpackb(
            heartbeats.encode_heartbeat(heartbeats.Heartbeat("gw-north", 1, "0", b"b" * 16, 1)), raw=True
        )
        parts[6] = waiting
        return code_of(lambda: heartbeats.decode_heartbeat(codec.pack(parts)))

    boot = b"a" * 16
    assert heartbeat([[boot, [[5, 6], [1, 2]]]]) == "non_canonical"
    assert heartbeat([[boot, [[1, 2], [3, 4]]]]) == "non_canonical"
    assert heartbeat([[boot, []], [boot, []]]) == "non_canonical"
    assert heartbeat([[boot, [[4, 3]]]]) == "out_of_range"
    assert heartbeat([[b"short", []]]) == "out_of_range"
    assert heartbeat([[boot, [[n, n] for n in range(1, 4000, 2)]]]) == "out_of_range"


def test_resend_requests_and_codes() -> None:
    request = resend_requests.ResendRequest(b"q" * 16, b"b" * 16, 3, 9)
    assert resend_requests.decode_resend_request(resend_requests.encode_resend_request(request)) == request
    assert code_of(lambda: resend_requests.decode_resend_request(b"\x90")) == "unknown_version"
    assert [quantities.obis_text(quantities.obis(text)) for text in ("16.7.0", "1.8.2")] == ["16.7.0", "1.8.2"]
    assert code_of(lambda: quantities.obis("1.8")) == "out_of_range"


def test_a_reading_costs_at_most_45_bytes_on_the_wire() -> None:
    """60 readings a frame with power, years into a gateway's life, header and signature included."""
    bodies = [
        records.encode_record(
            Reading(
                i % 100, 2_000_000 + i, SLOT_S, 9_999, "S", "G", 0, 3_999_999_999, 999_999_999, ((POWER, -32_000, 0),)
            )
        )
        for i in range(60)
    ]
    longest = frame(gateway_id="g" * 32, sequence=5_000_000, sealed_at_ms=SLOT_S * 1000, records=bodies)
    assert len(longest.encode()) <= 45 * 60


def test_the_proof_of_one_reading_fits_in_a_kilobyte() -> None:
    largest = Reading(
        65535, 2**63 - 1, 2**40, 2**32 - 1, "S", "G", 65535, 2**63 - 1, 2**63 - 1, ((POWER, 2**62, -9),) * 16
    )
    full = frame(gateway_id="g" * 32, records=[records.encode_record(largest)] * 256)
    path = build()["proof"]["path"]
    assert path
    assert len(full.header_bytes) + len(full.signature) + len(full.records[0]) + 8 * 32 <= 1024
