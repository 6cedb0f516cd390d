"""Properties of the wire format over generated values: what is written is read back, and nothing else passes for it."""

import contextlib
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl.signing import SigningKey

from edge.wire import frames, heartbeats, merkle, receipts, records
from edge.wire.errors import WireError
from edge.wire.kinds import Reading
from support.rows.wire_vectors import RECORDS

KEY = SigningKey(bytes(range(32)))
PUBLIC = bytes(KEY.verify_key)
U63 = st.integers(0, 2**63 - 1)
QUANTITY = st.tuples(st.integers(0, 2**24 - 1), st.integers(-(2**62), 2**62), st.integers(-12, 12))
READINGS = st.builds(
    Reading,
    meter_index=st.integers(0, 65535),
    sequence=U63,
    slot_s=st.integers(0, 2**40),
    read_offset_ms=st.integers(0, 2**32 - 1),
    time_quality=st.sampled_from("UISR"),
    meter_state=st.sampled_from("GNTDRMXIOSEF"),
    flags=st.integers(0, 65535),
    import_wh=U63,
    export_wh=U63,
    quantities=st.lists(QUANTITY, max_size=16).map(tuple),
)
LEAVES = st.lists(st.binary(min_size=1, max_size=4).map(lambda b: sha256(b).digest()), max_size=70)


def sealed(bodies: list[bytes], sequence: int = 1) -> frames.Frame:
    return frames.seal(
        gateway_id="gw-north",
        boot_id=b"b" * 16,
        sequence=sequence,
        previous_hash=frames.NO_PREVIOUS,
        sealed_at_ms=1_780_000_000_000,
        records=bodies,
        signing_key=KEY,
    )


@given(READINGS)
def test_a_reading_is_read_back_as_it_was(reading: Reading) -> None:
    assert records.decode_record(records.encode_record(reading)) == reading


@given(st.lists(READINGS, min_size=1, max_size=20))
@settings(max_examples=50)
def test_a_frame_is_read_back_byte_for_byte(readings: list[Reading]) -> None:
    frame = sealed([records.encode_record(reading) for reading in readings])
    read = frames.decode_frame(frame.encode())
    frames.verify_signature(read, PUBLIC)
    assert (read.encode(), read.leaves) == (frame.encode(), frame.leaves)
    assert [records.decode_record(record) for record in read.records] == readings


@given(st.data())
@settings(max_examples=300)
def test_any_changed_byte_of_a_frame_is_refused(data: st.DataObject) -> None:
    good = sealed([records.encode_record(record) for record in RECORDS.values()]).encode()
    position = data.draw(st.integers(0, len(good) - 1))
    bad = bytearray(good)
    bad[position] ^= data.draw(st.integers(1, 255))
    with pytest.raises(WireError):
        frames.verify_signature(frames.decode_frame(bytes(bad)), PUBLIC)


@given(st.sampled_from(sorted(RECORDS)), st.data())
@settings(max_examples=300)
def test_any_changed_byte_of_a_record_is_refused_or_another_record(name: str, data: st.DataObject) -> None:
    good = records.encode_record(RECORDS[name])
    bad = bytearray(good)
    bad[data.draw(st.integers(0, len(good) - 1))] ^= data.draw(st.integers(1, 255))
    assert frames.leaf_hash("gw-north", bytes(bad)) != frames.leaf_hash("gw-north", good)
    try:
        read = records.decode_record(bytes(bad))
    except WireError:
        return
    assert read != RECORDS[name]
    assert records.encode_record(read) == bytes(bad)


@given(st.binary(max_size=600))
@settings(max_examples=500)
def test_noise_is_refused_by_name_and_never_crashes(noise: bytes) -> None:
    for read in (frames.decode_frame, records.decode_record, heartbeats.decode_heartbeat, frames.decode_header):
        with contextlib.suppress(WireError):
            read(noise)
    with pytest.raises(WireError):
        receipts.open_receipt(noise, PUBLIC)


@given(LEAVES)
def test_the_root_is_that_of_a_growing_frontier(leaves: list[bytes]) -> None:
    """The on-chain programs keep only the peaks: (height, hash) of the perfect trees so far."""
    peaks: list[tuple[int, bytes]] = []
    for leaf in leaves:
        height, hashed = 0, leaf
        while peaks and peaks[-1][0] == height:
            hashed, height = merkle.node(peaks.pop()[1], hashed), height + 1
        peaks.append((height, hashed))
    folded = peaks[-1][1] if peaks else merkle.EMPTY_ROOT
    for _, peak in reversed(peaks[:-1]):
        folded = merkle.node(peak, folded)
    assert merkle.root(leaves) == folded


@given(LEAVES.filter(bool), st.data())
def test_every_leaf_has_a_path_and_no_other_fits(leaves: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    path, root = merkle.path(leaves, index), merkle.root(leaves)
    assert merkle.verify(leaves[index], index, len(leaves), path, root)
    assert not merkle.verify(sha256(b"another").digest(), index, len(leaves), path, root)
    assert not merkle.verify(leaves[index], index, len(leaves), [*path, root], root)
    assert not merkle.verify(leaves[index], len(leaves), len(leaves), path, root)
    for other in range(len(leaves)):
        if leaves[other] != leaves[index]:
            assert not merkle.verify(leaves[index], other, len(leaves), path, root)


RANGES = st.lists(st.integers(1, 400), unique=True, max_size=40).map(sorted)


@given(st.dictionaries(st.binary(min_size=16, max_size=16), RANGES, max_size=4))
def test_receipts_and_heartbeats_are_read_back(by_boot: dict[bytes, list[int]]) -> None:
    from edge.wire.ranges import ranges_of

    ranges = {boot: ranges_of(sequences) for boot, sequences in by_boot.items()}
    receipt = receipts.Receipt("gw-north", 17, ranges, {}, b"h" * 32)
    assert receipts.open_receipt(receipts.sign_receipt(receipt, KEY), PUBLIC) == receipt
    heartbeat = heartbeats.Heartbeat(
        "gw-north",
        17,
        "0.1.0",
        b"b" * 16,
        9,
        ranges,
        3,
        4,
        "S",
        5,
        6,
        ("METER_001",),
        7,
        8,
        9,
        (("METER_002", "in doubt"),),
    )
    assert heartbeats.decode_heartbeat(heartbeats.encode_heartbeat(heartbeat)) == heartbeat
