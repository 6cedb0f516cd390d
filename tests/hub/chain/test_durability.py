"""What the ledger keeps: nothing confirmed is lost by kill -9, changed files are refused, a full disk is survived."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import NoReturn

import pytest
from solana.rpc.commitment import Finalized
from solana.rpc.core import RPCException
from solders.keypair import Keypair
from solders.message import Message
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction

from hub.chain.client import ChainClient
from hub.chain.errors import AlreadyProcessedError, ChainUnreachableError
from hub.chain.transactions import SignedTransaction, sign
from hub.clock import ManualClock, SystemClock
from hub.keys import load
from hub.ledger.opening import open_chain
from support.servers.ledger import LedgerProcess
from support.waiting import at_least, eventually


async def signed_payment(chain: ChainClient, payer: Keypair, to: Pubkey) -> SignedTransaction:
    gift = TransferParams(from_pubkey=payer.pubkey(), to_pubkey=to, lamports=10**7)
    return await chain.prepare([transfer(gift)], [payer], compute_limit=10_000)


async def pay_until_killed(ledger: LedgerProcess, confirmed: list[tuple[SignedTransaction, Pubkey]]) -> None:
    async with ChainClient(ledger.url, timeout_s=2) as chain:
        try:
            while True:
                to = Keypair().pubkey()
                payment = await signed_payment(chain, ledger.rich, to)
                await chain.send(payment)
                await chain.wait(payment, until="confirmed", poll_s=0.005)
                confirmed.append((payment, to))
        except ChainUnreachableError:
            return


@pytest.mark.parametrize(("snapshot_every", "rounds"), [("5000", 3), ("1", 8)], ids=["log", "snapshots"])
async def test_kill_9_under_load_loses_nothing_that_was_confirmed(
    ledger: LedgerProcess, snapshot_every: str, rounds: int
) -> None:
    confirmed: list[tuple[SignedTransaction, Pubkey]] = []
    ledger.stop()
    ledger.start("--snapshot-every", snapshot_every)
    for round_number in range(1, rounds + 1):
        load = [asyncio.create_task(pay_until_killed(ledger, confirmed)) for _ in range(8)]
        await eventually(at_least(40 * round_number, confirmed), seconds=120, what="confirmed payments")
        ledger.kill()
        await asyncio.gather(*load)
        ledger.start("--snapshot-every", snapshot_every)
    async with ChainClient(ledger.url) as chain:
        statuses = await chain.statuses([payment.signature for payment, _ in confirmed])
        assert all(status and status.level == "finalized" and status.error is None for status in statuses)
        accounts = await chain.raw_accounts([to for _, to in confirmed], commitment=Finalized)
        assert all(account and account.lamports == 10**7 for account in accounts)
        last, _ = confirmed[-1]
        with pytest.raises(AlreadyProcessedError):
            await chain.send(last)
    ledger.verify()


async def test_a_blockhash_from_before_the_restart_still_carries(ledger: LedgerProcess) -> None:
    async with ChainClient(ledger.url) as chain:
        for _ in range(3):
            await chain.run([transfer(_gift(ledger))], [ledger.rich])
        payments = [await signed_payment(chain, ledger.rich, Keypair().pubkey()) for _ in range(2)]
        genesis = await chain.genesis_hash()
    assert ledger.stop() == 0
    ledger.start()
    async with ChainClient(ledger.url) as chain:
        assert await chain.genesis_hash() == genesis
        for payment in payments:
            await chain.send(payment)
            assert (await chain.wait(payment)).error is None
    ledger.verify()


def _gift(ledger: LedgerProcess) -> TransferParams:
    return TransferParams(from_pubkey=ledger.rich.pubkey(), to_pubkey=Keypair().pubkey(), lamports=10**7)


async def some_blocks(ledger: LedgerProcess) -> int:
    """Makes a few blocks, stops the ledger, and returns the slot of a block with a transaction."""
    async with ChainClient(ledger.url) as chain:
        slots = [(await chain.run([transfer(_gift(ledger))], [ledger.rich])).slot for _ in range(3)]
    ledger.stop()
    return slots[1]


Damage = Callable[[sqlite3.Connection, int], None]


def flip_header(db: sqlite3.Connection, slot: int) -> None:
    (header,) = db.execute("SELECT header FROM blocks WHERE slot = ?", (slot,)).fetchone()
    db.execute("UPDATE blocks SET header = ? WHERE slot = ?", (header[:-1] + bytes([header[-1] ^ 1]), slot))


def flip_signature(db: sqlite3.Connection, slot: int) -> None:
    (signature,) = db.execute("SELECT signature FROM blocks WHERE slot = ?", (slot,)).fetchone()
    db.execute("UPDATE blocks SET signature = ? WHERE slot = ?", (bytes([signature[0] ^ 1]) + signature[1:], slot))


def change_result(db: sqlite3.Connection, slot: int) -> None:
    db.execute(
        "UPDATE transactions SET result = replace(result, '\"fee\":5000', '\"fee\":5001') WHERE slot = ?", (slot,)
    )


def drop_transaction(db: sqlite3.Connection, slot: int) -> None:
    db.execute("DELETE FROM transactions WHERE slot = ?", (slot,))


def rename_transaction(db: sqlite3.Connection, slot: int) -> None:
    db.execute("UPDATE transactions SET signature = ? WHERE slot = ?", (bytes(Signature.new_unique()), slot))


DAMAGE = [flip_header, flip_signature, change_result, drop_transaction, rename_transaction]


@pytest.mark.parametrize("damage", DAMAGE, ids=[damage.__name__ for damage in DAMAGE])
async def test_a_changed_block_is_refused_by_its_number(ledger: LedgerProcess, damage: Damage) -> None:
    slot = await some_blocks(ledger)
    with closing(sqlite3.connect(ledger.folder / "ledger.sqlite")) as db, db:
        damage(db, slot)
    message = ledger.refuse_to_start()
    assert f"Block {slot} was changed" in message
    assert "backup" in message or "content" in message


def add_a_transaction_outside_of_blocks(db: sqlite3.Connection) -> None:
    name = bytes(Signature.new_unique())
    db.execute("INSERT INTO transactions SELECT slot + 1000000, position, ?, raw, result FROM transactions", (name,))


def move_a_transaction(db: sqlite3.Connection) -> None:
    db.execute("UPDATE transactions SET position = position + 7")


def forget_an_address(db: sqlite3.Connection) -> None:
    db.execute("DELETE FROM touched WHERE address = (SELECT min(address) FROM touched)")


def add_an_address(db: sqlite3.Connection) -> None:
    db.execute("INSERT INTO touched SELECT ?, slot, position FROM touched LIMIT 1", (b"\x01" * 32,))


UNSIGNED = [add_a_transaction_outside_of_blocks, move_a_transaction, forget_an_address, add_an_address]


@pytest.mark.parametrize("damage", UNSIGNED, ids=[damage.__name__ for damage in UNSIGNED])
async def test_rows_that_no_block_signs_are_compared_too(
    ledger: LedgerProcess, damage: Callable[[sqlite3.Connection], None]
) -> None:
    async with ChainClient(ledger.url) as chain:
        await chain.run([transfer(_gift(ledger))], [ledger.rich])
    ledger.stop()
    with closing(sqlite3.connect(ledger.folder / "ledger.sqlite")) as db, db:
        damage(db)
    assert "restore the ledger's folder from a backup" in ledger.refuse_to_start()


async def test_a_rent_epoch_in_the_file_means_nothing(ledger: LedgerProcess) -> None:
    await some_blocks(ledger)
    with closing(sqlite3.connect(ledger.folder / "ledger.sqlite")) as db, db:
        db.execute("UPDATE accounts SET rent_epoch = x'0700000000000000'")
    ledger.start()
    async with ChainClient(ledger.url) as chain:
        (account,) = await chain.raw_accounts([ledger.rich.pubkey()])
    assert account is not None
    assert account.rent_epoch == 0


async def test_a_dropped_block_and_a_changed_account_are_refused(ledger: LedgerProcess) -> None:
    slot = await some_blocks(ledger)
    path = ledger.folder / "ledger.sqlite"
    copy = path.read_bytes()
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("DELETE FROM blocks WHERE slot = ?", (slot,))
    assert "it does not follow block" in ledger.refuse_to_start()
    path.write_bytes(copy)
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE accounts SET lamports = lamports + 1 WHERE address = ?", (bytes(ledger.rich.pubkey()),))
    assert "The accounts are not those that block" in ledger.refuse_to_start()
    path.write_bytes(copy)
    ledger.start()


async def test_folders_that_can_not_be_served_say_why(ledger: LedgerProcess, tmp_path: Path) -> None:
    port = ledger.url.rpartition(":")[2]
    assert "already runs on" in ledger.refuse_to_start()
    other = LedgerProcess(tmp_path / "other", ledger.rich)
    assert f"Port {port}" in other.refuse_to_start(port=int(port))
    assert "genesis.json" in other.refuse_to_start()
    ledger.stop()
    with closing(sqlite3.connect(ledger.folder / "ledger.sqlite")) as db, db:
        db.execute("UPDATE meta SET value = '99' WHERE key = 'version'")
    assert "ledger version 99" in ledger.refuse_to_start()
    (ledger.folder / "ledger.sqlite").write_bytes(b"not a database at all" * 500)
    assert "can not be read as a ledger" in ledger.refuse_to_start()
    (ledger.folder / "ledger.sqlite").unlink()
    (ledger.folder / "authority.json").chmod(0o644)
    assert "chmod 600" in ledger.refuse_to_start()


async def test_a_clock_behind_the_last_block_is_refused_and_can_be_accepted(ledger: LedgerProcess) -> None:
    """As if the last block had been dated by a clock that was wrong."""
    ledger.stop()
    authority = load(ledger.folder / "authority.json")
    ahead = ManualClock(SystemClock().now_ms() + 3 * 86_400_000)
    chain = open_chain(ledger.folder / "ledger.sqlite", authority, ahead, _no_genesis)
    gift = _gift(ledger)
    blockhash, _ = chain.latest_blockhash()
    message = Message.new_with_blockhash([transfer(gift)], ledger.rich.pubkey(), blockhash)
    payment = VersionedTransaction(message, [ledger.rich])
    chain.submit(payment, bytes(payment))
    chain.close()
    assert "--clock-gap-days -3" in ledger.refuse_to_start()
    ledger.start("--clock-gap-days", "-3")


def _no_genesis() -> NoReturn:
    raise AssertionError("the ledger is not empty")


async def test_another_authority_is_refused(ledger: LedgerProcess) -> None:
    ledger.stop()
    (ledger.folder / "authority.json").unlink()
    assert "put the right key back" in ledger.refuse_to_start()


async def fill(ledger: LedgerProcess, chain: ChainClient, kept: list[SignedTransaction]) -> None:
    """Pays until the ledger refuses; appends what was confirmed to ``kept``."""
    while True:
        blockhash = await chain.latest_blockhash()
        gifts = [[transfer(_gift(ledger)) for _ in range(15)] for _ in range(20)]
        batch = [sign(instructions, [ledger.rich], blockhash, 10_000) for instructions in gifts]
        answers = await asyncio.gather(*[chain.send(payment) for payment in batch], return_exceptions=True)
        for refused in answers:
            if isinstance(refused, BaseException):
                raise refused
        deadline = asyncio.get_running_loop().time() + 1
        while asyncio.get_running_loop().time() < deadline:
            statuses = await chain.statuses([payment.signature for payment in batch])
            if all(status and status.reached("confirmed") for status in statuses):
                break
            await asyncio.sleep(0.02)
        kept += [
            payment for payment, status in zip(batch, statuses, strict=True) if status and status.reached("confirmed")
        ]


async def test_a_full_disk_refuses_writes_and_goes_on_reading(ledger: LedgerProcess) -> None:
    ledger.stop()
    mib = (ledger.folder / "ledger.sqlite").stat().st_size // 2**20 + 2
    """One to two megabytes of room: the first payments fit, however large the programs are."""
    ledger.start("--max-mib", str(mib))
    kept: list[SignedTransaction] = []
    async with ChainClient(ledger.url) as chain:
        with pytest.raises(ChainUnreachableError, match="free space"):
            await fill(ledger, chain, kept)
        assert kept
        with pytest.raises(RPCException, match="Node is unhealthy"):
            await chain.rpc.is_connected()
        assert await chain.lamports(ledger.rich.pubkey()) > 0
        assert all(status and status.error is None for status in await chain.statuses([p.signature for p in kept]))
    ledger.stop()
    ledger.start()
    async with ChainClient(ledger.url) as chain:
        assert all(status and status.error is None for status in await chain.statuses([p.signature for p in kept]))
        await chain.run([transfer(_gift(ledger))], [ledger.rich])
    ledger.verify()
