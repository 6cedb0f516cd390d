"""The pure block format."""

from dataclasses import replace

import pytest
from solders.keypair import Keypair

from hub.ledger.blocks import Header, blockhash, fault, sign, slot_at, transactions_hash

AUTHORITY = Keypair()
FIRST = Header(0, 0, bytes(32), 1_000_000, 0, bytes(32), bytes([1] * 32))
NEXT = Header(7, 0, FIRST.hash, 1_002_800, 2, bytes([2] * 32), bytes([3] * 32))


def test_a_header_reads_back_and_every_field_is_in_its_hash() -> None:
    assert Header.decode(NEXT.encode()) == NEXT
    changes = [
        {"slot": 8},
        {"parent_slot": 1},
        {"parent_hash": bytes(32)},
        {"time_ms": 1},
        {"transaction_count": 3},
        {"transactions_hash": bytes(32)},
        {"accounts_hash": bytes(32)},
    ]
    hashes = {replace(NEXT, **change).hash for change in changes}  # type: ignore[arg-type]
    assert len(hashes) == len(changes)
    assert NEXT.hash not in hashes


def test_other_bytes_are_no_header() -> None:
    for wrong in (b"", NEXT.encode()[:-1], NEXT.encode() + b"\0", b"peerwatt/block/2" + NEXT.encode()[16:]):
        with pytest.raises(ValueError, match="not a block header"):
            Header.decode(wrong)


def test_a_block_follows_only_its_own_parent() -> None:
    def verdict(header: Header, parent: Header | None = FIRST, key: Keypair = AUTHORITY) -> str | None:
        return fault(header, sign(header, key), parent, AUTHORITY.pubkey())

    assert verdict(FIRST, None) is None
    assert verdict(NEXT) is None
    assert verdict(NEXT, key=Keypair()) == "its signature is not the authority's"
    assert verdict(replace(NEXT, parent_hash=bytes(32))) == "it does not follow block 0"
    assert verdict(replace(NEXT, parent_slot=3)) == "it does not follow block 0"
    assert verdict(replace(NEXT, slot=0)) == "it is older than block 0"
    assert verdict(replace(NEXT, time_ms=5)) == "it is older than block 0"
    assert verdict(NEXT, None) == "the chain does not begin with it"


def test_transactions_are_bound_to_their_order_and_result() -> None:
    first, second = (b"one", "{}"), (b"two", "{}")
    all_hashes = {
        transactions_hash(t) for t in ([], [first], [first, second], [second, first], [(b"one", "{ }"), second])
    }
    assert len(all_hashes) == 5


def test_slots_go_on_with_time_and_never_back() -> None:
    assert [slot_at(NEXT, NEXT.time_ms + ms) for ms in (-9999, 0, 399, 400, 4000)] == [7, 7, 7, 8, 17]
    assert blockhash(NEXT, 7) == NEXT.hash
    assert len({blockhash(NEXT, slot) for slot in range(7, 100)}) == 93
