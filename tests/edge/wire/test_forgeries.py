"""Forgeries that fit together in everything but one: each check of a proof or a frame has one that it alone refuses."""

from collections.abc import Callable
from typing import Any

import base58
import msgpack
import pytest
from nacl.signing import SigningKey

from edge.wire import frames, keys, merkle
from edge.wire.errors import WireError
from edge.wire.fields import Fields
from edge.wire.kinds import Reading
from edge.wire.ladder import interval_leaf, line_leaf
from edge.wire.proofs import check_proof, make_proof
from edge.wire.records import encode_record
from hub.clock import rfc3339_s

KEY, OTHER = SigningKey(bytes(range(32))), SigningKey(b"o" * 32)
START_S, END_S, SLOT_S = 1_780_308_000, 1_780_308_900, 1_780_308_600
INDEX, COUNT = 3, 5
NEIGHBOURS = [bytes([number]) * 32 for number in range(COUNT)]


def header(**changes: Any) -> bytes:
    """A header whose fields nobody has checked."""
    fields = {
        "tag": b"peerwatt/frame/1", "gateway_id": b"gw-north", "key_id": keys.key_id(bytes(KEY.verify_key)),
        "boot_id": b"b" * 16, "sequence": 1, "previous_hash": bytes(32), "record_count": 3, "root": bytes(32),
        "sealed_at_ms": 1,
    }  # fmt: skip
    return bytes(msgpack.packb(list((fields | changes).values())))


def tree(leaf: bytes) -> dict[str, Any]:
    """The leaf's place in a tree, and the tree's root."""
    leaves = [*NEIGHBOURS[:INDEX], leaf, *NEIGHBOURS[INDEX + 1 :]]
    path = [one.hex() for one in merkle.path(leaves, INDEX)]
    return {"index": INDEX, "count": COUNT, "path": path, "root": merkle.root(leaves).hex()}


def interval(start_s: int = START_S, end_s: int = END_S, meter_id: str = "METER_001", quality: str = "estimated",
             blinding: bytes = b"r" * 16) -> dict[str, Any]:  # fmt: skip
    """A rung whose leaf, path and root fit what it says."""
    leaf = interval_leaf(start_s, end_s, meter_id, 50, 60, quality if quality != "odd" else "valid", blinding)
    rung = tree(leaf)
    return {
        "start_at": rfc3339_s(start_s), "end_at": rfc3339_s(end_s), "meter_id": meter_id, "import_wh": 50,
        "export_wh": 60, "quality": quality, "blinding": blinding.hex(), "leaf": leaf.hex(),
        "merkle_root": rung.pop("root"), **rung,
    }  # fmt: skip


def line(start_s: int = START_S) -> dict[str, Any]:
    leaf = line_leaf(start_s, INDEX, b"w" * 32, 1, 2, 3, 4)
    return {
        "start_at": rfc3339_s(start_s), "wallet": base58.b58encode(b"w" * 32).decode(), "sold_wh": 1, "bought_wh": 2,
        "credit_micros": 3, "debit_micros": 4, "leaf": leaf.hex(), **tree(leaf),
    }  # fmt: skip


def proof(slot_s: int = SLOT_S, meter_id: str = "METER_001", **changes: Any) -> dict[str, Any]:
    """A proof that holds, with these parts in place of its own."""
    record = encode_record(Reading(1, 9, slot_s, 7, "S", "G", 0, 1_000, 2_000))
    frame = frames.seal(
        gateway_id="gw-north", boot_id=b"b" * 16, sequence=1, previous_hash=bytes(32), sealed_at_ms=1,
        records=[b"\x90", record, b"\x91\x01"], signing_key=KEY,
    )  # fmt: skip
    document = make_proof(frame, 1, bytes(KEY.verify_key)) | {
        "reading_id": frame.leaves[1].hex(), "header_hash": frame.header_hash.hex(),
        "key_id": frame.header.key_id.hex(),
        "reading": {"meter_id": meter_id, "slot_at": rfc3339_s(slot_s), "import_wh": 1_000, "export_wh": 2_000},
        "interval": interval(meter_id=meter_id), "line": line(),
        "chain": {"interval_account": "I", "settlement_account": "S"},
    }  # fmt: skip
    return document | changes


def resigned(head: bytes, key: SigningKey = KEY) -> dict[str, Any]:
    return {"header": head.hex(), "signature": keys.sign(key, head).hex(), "header_hash": None}


def shown(**changes: Any) -> dict[str, Any]:
    return {"reading": proof()["reading"] | changes}


def test_what_all_forgeries_are_made_from_holds() -> None:
    proven = check_proof(proof())
    assert [(root.rung, root.account) for root in proven.roots] == [("interval", "I"), ("line", "S")]
    for slot_s in (START_S, END_S):
        check_proof(proof(slot_s))
    check_proof(proof(meter_id="M" * 32))
    for quality in ("valid", "estimated", "suspect", "missing"):
        check_proof(proof(interval=interval(quality=quality)))


FORGERIES: dict[str, tuple[Callable[[], dict[str, Any]], str, str]] = {
    "of another format": (lambda: proof(format="peerwatt.proof/2"), "proof", "format must be"),
    "of another gateway": (lambda: proof(gateway_id="gw-south"), "proof", "the header says 'gw-north'"),
    "that says another import": (lambda: proof(**shown(import_wh=1)), "proof", "reading.import_wh is 1"),
    "that says another export": (lambda: proof(**shown(export_wh=1)), "proof", "reading.export_wh is 1"),
    "that says another slot": (lambda: proof(**shown(slot_at=rfc3339_s(START_S))), "proof", "reading.slot_at is not"),
    "that says another meter": (lambda: proof(**shown(meter_id="METER_002")), "proof", "another meter"),
    "without a meter": (lambda: proof(**shown(meter_id=None)), "proof", "reading.meter_id must be there, as text"),
    "with an older interval": (lambda: proof(interval=interval(START_S - 900, SLOT_S - 1)), "proof", "not taken in"),
    "with a later interval": (lambda: proof(interval=interval(SLOT_S + 1)), "proof", "not taken in"),
    "with a line of another interval": (lambda: proof(line=line(START_S - 900)), "proof", "line.start_at is of"),
    "with a name that is cut": (lambda: proof(meter_id="M" * 33), "proof", "is none"),
    "with a quality of its own": (lambda: proof(interval=interval(quality="odd")), "proof", "is none"),
    "with less blinding": (lambda: proof(interval=interval(blinding=b"r" * 15)), "proof", "is none"),
    "with more blinding": (lambda: proof(interval=interval(blinding=b"r" * 17)), "proof", "is none"),
    "with another leaf shown": (lambda: proof(interval=interval() | {"leaf": "00" * 32}), "proof",
                                "interval.leaf is not the hash of what the interval says"),
    "with another line's leaf shown": (lambda: proof(line=line() | {"leaf": "00" * 32}), "proof",
                                       "line.leaf is not the hash of what the line says"),
    "with another interval's root": (lambda: proof(interval=interval() | {"merkle_root": "00" * 32}), "merkle_root",
                                     "what the interval says and its path"),
    "with another settlement's root": (lambda: proof(line=line() | {"root": "00" * 32}), "merkle_root",
                                       "what the line says and its path"),
    "with a line beyond the last": (lambda: proof(line=line() | {"index": COUNT}), "proof", "beyond line.count"),
    "with more lines than there can be": (lambda: proof(line=line() | {"index": 2**32, "count": 2**33}), "proof",
                                          "line.leaf is not"),
    "of more records": (lambda: proof(count=4), "record_count", "count is 4"),
    "with another name for the reading": (lambda: proof(reading_id="00" * 32), "proof", "reading_id is not that"),
    "with another name for the frame": (lambda: proof(header_hash="00" * 32), "proof", "header_hash is not that"),
    "with another name for the key": (lambda: proof(key_id="00" * 8), "proof", "key_id is not that"),
    "of a frame that names another key": (
        lambda: proof(**resigned(header(key_id=b"k" * 8))), "key_id", "the header names key"),
    "that another key signed": (lambda: proof(**resigned(bytes.fromhex(proof()["header"]), OTHER)), "bad_signature",
                                "not by this key"),
    "of a frame with another root": (lambda: proof(**resigned(header())), "merkle_root", "record and path"),
}  # fmt: skip


@pytest.mark.parametrize("name", FORGERIES)
def test_a_proof(name: str) -> None:
    forge, code, words = FORGERIES[name]
    with pytest.raises(WireError, match=words) as caught:
        check_proof(forge())
    assert caught.value.code == code


def test_a_line_s_place_is_a_part_of_its_leaf() -> None:
    wallet = b"w" * 32
    assert len({line_leaf(START_S, index, wallet, 1, 2, 3, 4) for index in range(40)}) == 40


def forged(records: list[bytes], **changes: Any) -> bytes:
    """A frame of these records, signed, whose header says so or something else."""
    root = merkle.root([frames.leaf_hash("gw-north", record) for record in records])
    head = header(**{"record_count": len(records), "root": root} | changes)
    body = b"".join(b"\xc5" + len(r).to_bytes(2, "big") + r if len(r) > 255 else b"\xc4" + bytes([len(r)]) + r
                    for r in records)  # fmt: skip
    return bytes(msgpack.packb([head, keys.sign(KEY, head), body]))


def test_a_frame() -> None:
    frames.decode_frame(forged([b"\x90", bytes(480)]))
    frames.decode_frame(forged([bytes(480)] * 256))
    for data, code in (
        (forged([b"\x90"] * 3, record_count=2), "record_count"),
        (forged([b"\x90"] * 3, record_count=4), "record_count"),
        (forged([b"\x90"] * 3, root=bytes(32)), "merkle_root"), (forged([b"\x90", bytes(481)]), "too_long"),
        (forged([b"\x90"] * 257), "out_of_range"),
        (msgpack.packb([bytes(257), bytes(64), b""]), "out_of_range"), (msgpack.packb([b"", bytes(64)]), "wrong_arity"),
        (msgpack.packb([header(), bytes(64), b"", 1]), "wrong_arity"),
    ):  # fmt: skip
        with pytest.raises(WireError) as caught:
            frames.decode_frame(data)
        assert caught.value.code == code
    for place, name in enumerate(("header", "signature", "body")):
        parts: list[Any] = [header(), bytes(64), b""]
        parts[place] = 1
        with pytest.raises(WireError, match=f"^{name} must be a byte string"):
            frames.decode_frame(bytes(msgpack.packb(parts)))


def test_the_fullest_frame_has_room() -> None:
    full = frames.seal(
        gateway_id="g" * 32, boot_id=b"b" * 16, sequence=2**63 - 1, previous_hash=bytes(32), sealed_at_ms=2**63 - 1,
        records=[bytes(480)] * 256, signing_key=KEY,
    )  # fmt: skip
    assert len(full.encode()) <= frames.MAX_FRAME_BYTES and len(full.header_bytes) <= frames.MAX_HEADER_BYTES


@pytest.mark.parametrize("value", [None, "1", 1.0, True, -1, 2**64])
def test_a_number_of_a_proof(value: object) -> None:
    assert Fields({"n": 2**64 - 1, "zero": 0}).number("n") == 2**64 - 1 and Fields({"zero": 0}).number("zero") == 0
    with pytest.raises(WireError, match=r"^n must be there, as an integer"):
        Fields({"n": value}).number("n")


@pytest.mark.parametrize("value", [None, "no list", ["00" * 31], ["00" * 33], ["zz" * 32], [1]])
def test_a_path_of_a_proof(value: object) -> None:
    assert Fields({"path": ["00" * 32]}).path() == [bytes(32)]
    with pytest.raises(WireError, match=r"^a\.path must be there, as a list of hashes"):
        Fields({"path": value}, "a").path()


def test_other_fields_of_a_proof() -> None:
    assert Fields({"t": "2026-06-01T12:00:00.9+02:00"}).seconds("t") == 1_780_308_000
    for values, read, words in (
        ({"t": 5}, "seconds", "as a time"), ({"t": "soon"}, "seconds", "as a time"),
        ({"t": "2026-06-01T12:00:00"}, "seconds", "with its zone"), ({"t": "zz"}, "octets", "in hex"),
        ({"t": 5}, "octets", "in hex"), ({}, "octets", "in hex"), ({}, "text", "as text"),
        ({"t": "1" * 31}, "wallet", "32 bytes"), ({"t": "l"}, "wallet", "in base58"),
    ):  # fmt: skip
        with pytest.raises(WireError, match=words):
            getattr(Fields(values), read)("t")
    with pytest.raises(WireError, match="the proof must be an object"):
        Fields([])
    with pytest.raises(WireError, match=r"^a\.b must be an object"):
        Fields({"b": 5}, "a").part("b")
    assert Fields({"b": None}).part("b") is None and "b" not in Fields({"b": None})
