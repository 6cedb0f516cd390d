"""A start from a snapshot: what it still checks, what only the whole check finds, and a kill at every statement."""

import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from solders.signature import Signature

from hub.ledger.errors import LedgerDamagedError
from hub.ledger.opening import Limits
from hub.ledger.producer import Producer
from hub.ledger.rpc.server import RpcServer
from hub.ledger.store.snapshot import LogCounts, SignedSnapshot, Snapshot
from support.commands import run
from support.servers.ledger_crash import pay_twice
from support.servers.ledger_site import AUTHORITY, RICH, START_MS, Site, served
from support.settlement.wallets import CALL, raw_call

EVERY = Limits(snapshot_every=4)
LONG_MS = 3_600_000
"""Longer than any blockhash lives, so that a start needs nothing from before the snapshot."""


def history(folder: Path, blocks: int = 10) -> tuple[Path, list[int]]:
    """A ledger of so many blocks after the first, an hour apart, with a snapshot at every fourth; their slots."""
    path = folder / "ledger.sqlite"
    site = Site(path, EVERY)
    slots = []
    for _ in range(blocks):
        site.clock.advance(LONG_MS)
        site.submit(site.payment())
        site.chain.commit()
        slots.append(site.chain.head.slot)
    site.chain.repository.close()
    return path, slots


def reopened(path: Path, limits: Limits = EVERY) -> Site:
    return Site(path, limits, START_MS + 11 * LONG_MS)


def stored_snapshot(path: Path) -> SignedSnapshot:
    with closing(sqlite3.connect(path)) as db:
        return SignedSnapshot(*db.execute("SELECT content, signature FROM snapshots").fetchone())


def change(path: Path, *statement: object) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        assert db.execute(*statement).rowcount > 0  # type: ignore[arg-type]


def test_a_snapshot_is_of_its_block_and_signed(tmp_path: Path) -> None:
    path, slots = history(tmp_path)
    stored = stored_snapshot(path)
    snapshot = stored.verified(AUTHORITY.pubkey())
    # block 0 counts: snapshots at the blocks 3, 7 of those after it
    assert snapshot.slot == slots[6]
    assert snapshot.counts == LogCounts(blocks=8, transactions=7, index_rows=7 * 3)
    assert Snapshot.decode(snapshot.encode()) == snapshot
    with pytest.raises(ValueError, match="not the authority's"):
        stored.verified(RICH.pubkey())
    with pytest.raises(ValueError, match="not a snapshot"):
        Snapshot.decode(snapshot.encode() + b"x")


def test_a_start_goes_on_from_the_snapshot(tmp_path: Path) -> None:
    path, slots = history(tmp_path)
    site = reopened(path)
    assert site.chain.transaction_count == 10
    for _ in range(4):
        site.submit(site.payment())
        site.chain.commit()
    head = site.chain.head.slot
    site.chain.repository.close()
    assert slots[-1] < stored_snapshot(path).verified(AUTHORITY.pubkey()).slot < head
    site = reopened(path)
    assert site.chain.transaction_count == 14
    site.chain.repository.close()


def test_only_the_whole_check_reads_what_is_before_the_snapshot(tmp_path: Path) -> None:
    path, slots = history(tmp_path)
    change(path, "UPDATE transactions SET result = replace(result, '5000', '5001') WHERE slot = ?", (slots[2],))
    reopened(path).chain.repository.close()
    with pytest.raises(LedgerDamagedError, match=f"Block {slots[2]} was changed"):
        reopened(path, replace(EVERY, check_all=True))


async def test_nothing_is_answered_of_an_old_block_that_was_changed(tmp_path: Path) -> None:
    path, slots = history(tmp_path)
    change(path, "UPDATE transactions SET result = replace(result, '5000', '5001') WHERE slot = ?", (slots[2],))
    site = reopened(path)
    bad, good = (site.chain.repository.block(slot) for slot in (slots[2], slots[1]))
    assert bad is not None
    assert good is not None
    calls = {
        slot: [
            ("getBlock", [slot, {"encoding": "base64"}]),
            ("getTransaction", [str(Signature.from_bytes(block.transactions[0].signature)), {"encoding": "base64"}]),
        ]
        for slot, block in ((slots[2], bad), (slots[1], good))
    }
    signature = str(Signature.from_bytes(bad.transactions[0].signature))
    calls[slots[2]].append(("getSignatureStatuses", [[signature], {"searchTransactionHistory": True}]))
    calls[slots[2]].append(("getSignaturesForAddress", [str(RICH.pubkey())]))
    async with served(RpcServer(site.chain, Producer(site.chain), faucet=False)) as url:
        for slot, requests in calls.items():
            for method, params in requests:
                answer = await raw_call(url, {**CALL, "method": method, "params": params})
                if slot == slots[2]:
                    assert f"Block {slot} was changed" in answer["error"]["message"]
                else:
                    assert "error" not in answer
    site.chain.repository.close()


def test_a_recent_past_is_read_even_before_the_snapshot(tmp_path: Path) -> None:
    """A transaction whose blockhash still lives must be known again, and known from blocks that were checked."""
    path = tmp_path / "ledger.sqlite"
    site = Site(path, Limits(snapshot_every=1))
    sent = [site.payment() for _ in range(3)]
    for payment in sent:
        site.submit(payment)
        site.chain.commit()
    slot = site.chain.head.slot - 1
    site.chain.repository.close()
    site = Site(path)
    assert [site.level(payment) for payment in sent] == ["finalized"] * 3
    site.chain.repository.close()
    change(path, "UPDATE transactions SET result = replace(result, '5000', '5001') WHERE slot = ?", (slot,))
    with pytest.raises(LedgerDamagedError, match=f"Block {slot} was changed"):
        Site(path)


def of_another_chain(content: Snapshot) -> Snapshot:
    return replace(content, genesis_hash=bytes(32))


def of_another_block(content: Snapshot) -> Snapshot:
    return replace(content, block_hash=bytes(32))


def of_no_block(content: Snapshot) -> Snapshot:
    return replace(content, slot=content.slot + 1)


WRONG = [of_another_chain, of_another_block, of_no_block]


@pytest.mark.parametrize("wrong", WRONG, ids=[w.__name__ for w in WRONG])
def test_a_snapshot_of_something_else_is_refused_and_can_be_left_aside(
    tmp_path: Path, wrong: Callable[[Snapshot], Snapshot]
) -> None:
    path, _ = history(tmp_path)
    good = stored_snapshot(path)
    bad = SignedSnapshot.sign(wrong(good.verified(AUTHORITY.pubkey())), AUTHORITY)
    change(path, "UPDATE snapshots SET content = ?, signature = ?", (bad.content, bad.signature))
    with pytest.raises(LedgerDamagedError, match=r"snapshot was changed.*--check-all"):
        reopened(path)
    reopened(path, replace(EVERY, check_all=True)).chain.repository.close()
    reopened(path).chain.repository.close()


def test_a_snapshot_that_the_authority_did_not_sign_is_refused(tmp_path: Path) -> None:
    path, _ = history(tmp_path)
    forged = SignedSnapshot.sign(stored_snapshot(path).verified(AUTHORITY.pubkey()), RICH)
    for signature in (forged.signature, b"short"):
        change(path, "UPDATE snapshots SET signature = ?", (signature,))
        with pytest.raises(LedgerDamagedError, match="not the authority's"):
            reopened(path)


Damage = Callable[[Path, list[int]], None]


def drop_an_old_block(path: Path, slots: list[int]) -> None:
    change(path, "DELETE FROM blocks WHERE slot = ?", (slots[1],))


def drop_an_old_transaction(path: Path, slots: list[int]) -> None:
    change(path, "DELETE FROM transactions WHERE slot = ?", (slots[1],))


def drop_an_old_index_row(path: Path, slots: list[int]) -> None:
    change(path, "DELETE FROM touched WHERE slot = ?", (slots[1],))


def change_a_new_index_row(path: Path, slots: list[int]) -> None:
    change(path, "UPDATE touched SET address = ? WHERE slot = ? AND address = ?", (b"x" * 32, slots[-1], bytes(32)))


def change_a_new_block(path: Path, slots: list[int]) -> None:
    change(path, "UPDATE transactions SET result = replace(result, '5000', '5001') WHERE slot = ?", (slots[-1],))


def change_an_account(path: Path, slots: list[int]) -> None:
    change(path, "UPDATE accounts SET lamports = lamports + 1 WHERE address = ?", (bytes(RICH.pubkey()),))


DAMAGE = [
    drop_an_old_block,
    drop_an_old_transaction,
    drop_an_old_index_row,
    change_a_new_index_row,
    change_a_new_block,
    change_an_account,
]


@pytest.mark.parametrize("damage", DAMAGE, ids=[d.__name__ for d in DAMAGE])
def test_what_a_start_from_a_snapshot_still_finds(tmp_path: Path, damage: Damage) -> None:
    path, slots = history(tmp_path)
    damage(path, slots)
    with pytest.raises(LedgerDamagedError):
        reopened(path)


def test_a_file_from_before_snapshots_gets_one(tmp_path: Path) -> None:
    path, slots = history(tmp_path)
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("DROP TABLE snapshots")
    reopened(path).chain.repository.close()
    assert stored_snapshot(path).verified(AUTHORITY.pubkey()).slot == slots[-1]


def test_a_kill_before_any_statement_of_a_snapshot_loses_nothing(tmp_path: Path) -> None:
    """Both blocks take a snapshot with them; the process dies before its 1st, 2nd, ... statement until it survives."""
    outcomes = []
    for number in range(60):
        path = tmp_path / f"{number}.sqlite"
        process = run(pay_twice, path, 1, number)
        confirmed = process.stdout.count("confirmed")
        site = Site(path, Limits(snapshot_every=1))
        stored = site.chain.transaction_count
        assert confirmed <= stored <= confirmed + 1
        site.submit(site.payment())
        site.chain.commit()
        site.chain.repository.close()
        Site(path, Limits(check_all=True)).chain.repository.close()
        outcomes.append((process.returncode, stored))
        if process.returncode == 0:
            break
    assert outcomes[-1] == (0, 2)
    assert {code for code, _ in outcomes[:-1]} == {-signal.SIGKILL}
    assert {stored for _, stored in outcomes} == {0, 1, 2}
