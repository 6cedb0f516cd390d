"""The attestation that the oracle signs: leaf bytes that never change, leaf order, totals of valid energy only."""

from functools import partial
from hashlib import sha256
from itertools import count
from secrets import token_bytes

from edge.wire import merkle
from edge.wire.ladder import QUALITIES, interval_leaf
from hub.metering.attestation import RandomBytes, attest, interval_leaves
from hub.metering.readings import Energy, IntervalReading, Quality
from hub.units import Wh

START_S, END_S = 1_780_308_000, 1_780_308_900


def interval_reading(
    meter_id: str, import_wh: int, export_wh: int, quality: Quality = Quality.VALID
) -> IntervalReading:
    return IntervalReading(meter_id, Energy(Wh(import_wh), Wh(export_wh)), quality, (), None, None)


READINGS = [
    interval_reading("METER_003", 1, 2, Quality.SUSPECT),
    interval_reading("METER_001", 100, 1000),
    interval_reading("METER_010", 7, 0, Quality.ESTIMATED),
    interval_reading("METER_002", 500, 0),
]


def counted_bytes() -> RandomBytes:
    """Returns a source of bytes that counts up from 0, so that every test sees the same."""
    numbers = count()
    return lambda size: next(numbers).to_bytes(size, "big")


def test_each_meter_has_bytes_of_its_own_in_its_leaf() -> None:
    attestation = attest(START_S, END_S, READINGS, counted_bytes())
    assert [int.from_bytes(blinding, "big") for blinding in attestation.blindings] == [0, 1, 2, 3]
    other = attest(START_S, END_S, READINGS, token_bytes)
    assert len(set(other.blindings)) == 4 and {len(blinding) for blinding in other.blindings} == {16}
    assert other.merkle_root != attestation.merkle_root


def test_the_leaf_is_put_together_byte_by_byte() -> None:
    preimage = (
        START_S.to_bytes(8, "little", signed=True) + END_S.to_bytes(8, "little", signed=True)
        + b"METER_001".ljust(32, b"\0") + (100).to_bytes(8, "little") + (1000).to_bytes(8, "little") + b"\0"
    )  # fmt: skip
    leaf = partial(interval_leaf, START_S, END_S, "METER_001", 100, 1000, "valid")
    assert leaf(bytes(range(16))) == sha256(b"peerwatt/interval/1" + preimage + bytes(range(16))).digest()


def test_qualities_keep_their_numbers() -> None:
    assert [q.value for q in Quality] == list(QUALITIES) == ["valid", "estimated", "suspect", "missing"]


def test_meters_stand_in_order_of_their_names_and_only_valid_energy_counts() -> None:
    attestation = attest(START_S, END_S, READINGS, counted_bytes())
    assert [r.meter_id for r in attestation.readings] == ["METER_001", "METER_002", "METER_003", "METER_010"]
    assert (attestation.import_wh, attestation.export_wh) == (600, 1000)
    assert (attestation.meters_valid, attestation.meters_estimated) == (2, 2)


def test_every_leaf_proves_itself_against_the_root() -> None:
    attestation = attest(START_S, END_S, READINGS, counted_bytes())
    leaves = interval_leaves(START_S, END_S, attestation.readings, attestation.blindings)
    for index, leaf in enumerate(leaves):
        assert merkle.verify(leaf, index, len(leaves), merkle.path(leaves, index), attestation.merkle_root)


def test_an_interval_without_meters_has_the_empty_root() -> None:
    assert attest(START_S, END_S, [], counted_bytes()).merkle_root == sha256(b"peerwatt/empty/1").digest()
