"""The fast decoder of readings accepts nothing that the full decoder refuses, and reads the same fields."""

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.wire import codec
from edge.wire.errors import WireError
from edge.wire.fast_reading import decode_fast_reading
from edge.wire.kinds import Reading
from edge.wire.quantities import ACTIVE_POWER
from edge.wire.records import decode_record, encode_record


def reading(meter_index: int = 0, quantities: tuple[tuple[int, int, int], ...] = ((ACTIVE_POWER, 1080, 0),)) -> Reading:
    return Reading(meter_index, 1, 1_780_000_010, 120, "S", "G", 0, 12_345_678, 345_678, quantities)


ODD = st.one_of(
    st.integers(-(2**63), 2**64 - 1), st.sampled_from([0, 1, 71, 83, 127, 2**16, 2**33, 2**63]), st.booleans(),
    st.binary(max_size=3), st.none(), st.lists(st.integers(-5, 5), max_size=3),
)  # fmt: skip


@settings(max_examples=400)
@given(st.integers(0, 11), ODD, st.booleans(), st.booleans())
def test_it_agrees_with_the_full_decoder(position: int, value: object, drop: bool, longer: bool) -> None:
    fields: list[object] = codec.unpack(encode_record(reading()), limit=480)  # type: ignore[assignment]
    if position < len(fields):
        fields[position] = value
    else:
        fields.append(value)
    data = bytes(msgpack.packb(fields[:10] if drop else fields))
    data = data + b"\0" if longer and position == 11 else data
    fast = decode_fast_reading(data)
    if fast is None:
        return
    try:
        full = decode_record(data)
    except WireError as error:
        pytest.fail(f"the full decoder refuses {data.hex()}: {error}")
    assert isinstance(full, Reading)
    assert fast[:9] == (
        full.meter_index, full.sequence, full.slot_s, full.read_offset_ms, full.time_quality, full.meter_state,
        full.flags, full.import_wh, full.export_wh,
    )  # fmt: skip
    assert full.quantities == (() if fast[9] is None else ((ACTIVE_POWER, fast[9], 0),))


def test_it_takes_usual_readings() -> None:
    for usual in (reading(), reading(3, quantities=())):
        assert decode_fast_reading(encode_record(usual)) is not None


def test_it_leaves_a_number_in_a_longer_form_to_the_full_decoder() -> None:
    short = encode_record(reading(3))
    assert short[2] == 3
    assert decode_fast_reading(short) is not None
    assert decode_fast_reading(short[:2] + b"\xcc\x03" + short[3:]) is None
