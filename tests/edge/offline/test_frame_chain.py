"""A chain's continuity: each fault has a chain, well signed in every frame, in which it is the only one."""

import dataclasses
import io
from collections.abc import Sequence
from typing import Any

import pytest
from nacl.signing import SigningKey

from edge.offline.frame_chain import check_chain, write_chain
from edge.wire.frames import NO_PREVIOUS, Frame, seal
from edge.wire.kinds import Gap, Reading, Stop
from edge.wire.records import encode_record

KEY = SigningKey(bytes(range(32)))
PUBLIC = bytes(KEY.verify_key)
A, B = b"a" * 16, b"b" * 16
READING = encode_record(Reading(0, 1, 1_780_000_000, 0, "S", "G", 0, 1, 2))


def frame(boot_id: bytes, sequence: int, previous: Frame | bytes = NO_PREVIOUS, **changes: Any) -> Frame:
    given: dict[str, Any] = {
        "gateway_id": "gw-north", "boot_id": boot_id, "sequence": sequence,
        "previous_hash": previous if isinstance(previous, bytes) else previous.header_hash,
        "sealed_at_ms": 1_000 + sequence, "records": [encode_record(Stop(1, "x"))], "signing_key": KEY,
    }  # fmt: skip
    return seal(**(given | changes))


def sound() -> list[Frame]:
    """Two boots; the second follows from the first."""
    gap = encode_record(Gap(B, 7, 9, "evicted", 1))
    frames = [frame(A, 4)]
    frames.append(frame(A, 5, frames[0], records=[READING, READING, gap]))
    frames.append(frame(B, 1, frames[1]))
    frames.append(frame(B, 2, frames[2], records=[READING]))
    return frames


@pytest.mark.parametrize("as_bytes", [False, True])
def test_what_a_sound_chain_holds(as_bytes: bool) -> None:
    chain: Sequence[Frame | bytes] = [one.encode() for one in sound()] if as_bytes else sound()
    assert check_chain(chain, PUBLIC).as_json() == {
        "gateway_id": "gw-north", "frames": 4, "readings": 3, "boots": 2, "first_ms": 1_004, "last_ms": 1_002,
        "gaps": [f"{B.hex()}/7-9: evicted"], "faults": [], "ok": True,
    }  # fmt: skip


def test_a_boot_whose_predecessor_is_lost_may_begin_anew() -> None:
    report = check_chain([frame(A, 3), frame(B, 7)], PUBLIC)
    assert (report.faults, report.boots) == ([], 2)
    assert check_chain([], PUBLIC).faults == ["there is no frame: nothing was checked"]


def faults(*chain: Frame | bytes) -> list[str]:
    report = check_chain(chain, PUBLIC)
    assert report.as_json()["ok"] is False
    return report.faults


def test_each_fault_is_named_with_its_frame() -> None:
    first = frame(A, 4)
    assert faults(first, frame(A, 6, first)) == ["frame 2 (61616161/6): sequence is 6, expected 5"]
    assert faults(first, frame(A, 4, first)) == ["frame 2 (61616161/4): sequence is 4, expected 5"]
    assert faults(first, frame(B, 2, first)) == ["frame 2 (62626262/2): sequence is 2, expected 1"]
    lost = "does not follow from 61616161/4: frames were dropped, inserted or reordered"
    assert faults(first, frame(A, 5)) == [f"frame 2 (61616161/5): {lost}"]
    assert faults(first, frame(A, 5, b"p" * 32)) == [f"frame 2 (61616161/5): {lost}"]
    assert faults(first, frame(B, 1, b"p" * 32)) == [f"frame 2 (62626262/1): {lost}"]


def test_after_a_fault_the_rest_is_checked_too() -> None:
    chain = sound()
    other = dataclasses.replace(chain[1], body=chain[0].body)
    found = faults(chain[0], other, *chain[2:])
    assert [fault.split(":")[:2] for fault in found] == [["frame 2 (61616161/5)", " record_count"]]
    assert check_chain([chain[0], other, *chain[2:]], PUBLIC).frames == 3
    forged = frame(A, 5, chain[0], signing_key=SigningKey(bytes(32)))
    assert [fault.split(":")[1] for fault in faults(chain[0], forged, b"", chain[2])] == [" key_id", " malformed"]
    odd = frame(A, 5, chain[0], records=[b"\x91\x63"])
    assert [fault.split(":")[1] for fault in faults(chain[0], odd)] == [" unknown_kind"]


def test_what_is_written_says_how_many() -> None:
    out = io.StringIO()
    assert write_chain(out, "gw-north", PUBLIC, sound()) == 4
    head, *lines = out.getvalue().splitlines()
    assert PUBLIC.hex() in head and [bytes.fromhex(line) for line in lines] == [one.encode() for one in sound()]
