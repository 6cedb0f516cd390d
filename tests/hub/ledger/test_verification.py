"""Verification of a log from its genesis: one that somebody changed, and one that its authority forged and signed."""

import base64
import contextlib
import gzip
import hashlib
import json
import random
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from solders.keypair import Keypair
from solders.message import Message
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction

from hub.chain.programs import PROGRAM_IDS, program_binary
from hub.cli import EXIT_FAILED, main
from hub.ledger.blocks import Header, sign, transactions_hash
from hub.ledger.chain import TransactionRefusedError
from hub.ledger.countersignature import Countersignature
from hub.ledger.errors import LedgerDamagedError, LedgerError, WriteRefusedError
from hub.ledger.genesis import Genesis
from hub.ledger.opening import Limits, describe
from hub.ledger.replay import Replay
from hub.ledger.store.log_source import open_log, write_export
from hub.ledger.store.queries import StoredBlock, StoredTransaction
from hub.ledger.verification import Expected, Report, verify
from support.servers.ledger_site import AUTHORITY, RICH, Site

BLOCKS = 6
DAY_MS = 86_400_000


@dataclass
class Log:
    """A log in memory."""

    genesis: str
    stored: list[StoredBlock]
    countersignatures: list[Countersignature] = field(default_factory=list)

    def blocks(self) -> Iterator[StoredBlock]:
        return iter(self.stored)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A ledger's folder: a block every ten hours, of one or two payments, one of which fails and pays its fee."""
    site = Site(tmp_path / "ledger.sqlite")
    for number in range(BLOCKS):
        site.clock.advance(10 * 3_600_000)
        site.submit(site.payment())
        if number == 2:
            site.submit(site.payment(lamports=10**16))
        site.chain.commit()
        site.chain.finalise()
    site.chain.repository.close()
    return tmp_path


@pytest.fixture
def log(folder: Path) -> Log:
    with open_log(folder) as source:
        return Log(source.genesis, list(source.blocks()))


def checked(log: Log, expected: Expected | None = None) -> Report:
    return verify(log, expected or Expected(), [])


def test_a_good_log_is_verified_wherever_it_is(folder: Path) -> None:
    for name in ("log.jsonl", "log.jsonl.gz"):
        with open_log(folder) as source:
            head, count = write_export(source, folder / name)
        assert count == 2 * BLOCKS + 1
        for path in (folder, folder / name):
            with open_log(path) as source:
                report = verify(source, Expected(), [])
            assert (report.head, report.transactions, report.executed) == (head, BLOCKS + 1, True)
            assert report.stored_accounts is (path == folder)


def test_a_ledger_that_runs_is_verified_as_it_is_at_that_moment(folder: Path) -> None:
    site = Site(folder / "ledger.sqlite", now_ms=1_750_000_000_000 + 10 * DAY_MS)
    with open_log(folder) as source:
        site.submit(site.payment())
        site.chain.commit()
        assert verify(source, Expected(), []).transactions == BLOCKS + 1
    with open_log(folder) as source:
        assert verify(source, Expected(), []).transactions == BLOCKS + 2
    site.chain.repository.close()


@pytest.mark.parametrize("seed", range(8))
def test_whatever_happens_to_a_ledger_its_log_is_good(tmp_path: Path, seed: int) -> None:
    """Restarts, idle hours, old blockhashes, a clock that is put back, a full disk: nothing of it is a fault."""
    dice = random.Random(seed)
    path = tmp_path / "ledger.sqlite"
    site = Site(path, Limits(snapshot_every=7, gap_days=-1))
    payments: list[VersionedTransaction] = []
    taken = 0
    for _ in range(250):
        payments.append(site.payment(lamports=dice.choice([10**7, 10**16])))
        step = dice.choice(["wait", "wait", "pay", "pay", "pay", "pay old", "store", "seal", "restart", "back", "full"])
        if step == "wait":
            site.clock.advance(dice.choice([1, 50, 399, 400, 5000, 61_000, 3_600_000]))
        elif step in {"pay", "pay old"}:
            sent = payments.pop(-1 if step == "pay" else dice.randrange(len(payments)))
            with contextlib.suppress(TransactionRefusedError):
                site.submit(sent)
                taken += 1
        elif step == "store":
            site.chain.commit()
        elif step == "seal":
            site.chain.commit()
            site.chain.finalise()
        elif step == "restart":
            site.chain.close()
            site = Site(path, Limits(snapshot_every=7, gap_days=-1), site.clock.ms)
        elif step == "back":
            site.clock.advance(-dice.choice([1, 500, 20_000]))
        elif step == "full":
            taken -= refuse_one_block(site)
    site.chain.close()
    with open_log(tmp_path) as source:
        assert verify(source, Expected(), []).transactions == taken


def refuse_one_block(site: Site) -> int:
    """Lets the write of the open block fail; returns how many transactions were lost."""
    lost = len(site.chain._open.transactions) if site.chain._open else 0
    with pytest.MonkeyPatch.context() as patch:

        def full(*_: object) -> None:
            raise WriteRefusedError("The disk is full")

        patch.setattr(site.chain.repository, "append", full)
        with contextlib.suppress(WriteRefusedError):
            site.chain.commit()
    if site.chain.write_fault:
        site.chain.recover()
    return lost


# -- an export that somebody changed without the authority's key


def lines_of(folder: Path) -> list[str]:
    with open_log(folder) as source:
        write_export(source, folder / "log.jsonl")
    return (folder / "log.jsonl").read_text().splitlines()


def refusal(folder: Path, lines: list[str]) -> str:
    (folder / "log.jsonl").write_text("\n".join(lines) + "\n")
    with pytest.raises(LedgerDamagedError) as caught, open_log(folder / "log.jsonl") as source:
        verify(source, Expected(), None)
    return str(caught.value)


def flipped(text: str, at: int) -> str:
    raw = bytearray(base64.b64decode(text))
    raw[at] ^= 1
    return base64.b64encode(bytes(raw)).decode()


def changed_header(block: dict[str, object]) -> None:
    block["header"] = flipped(str(block["header"]), -1)


def changed_signature(block: dict[str, object]) -> None:
    block["signature"] = flipped(str(block["signature"]), 5)


def changed_transaction(block: dict[str, list[dict[str, str]]]) -> None:
    transaction = block["transactions"][0]
    transaction["raw"] = flipped(transaction["raw"], -1)


def changed_result(block: dict[str, list[dict[str, str]]]) -> None:
    transaction = block["transactions"][0]
    transaction["result"] = transaction["result"].replace("5000", "5001")


def dropped_transaction(block: dict[str, list[dict[str, str]]]) -> None:
    block["transactions"].clear()


def nothing_left(block: dict[str, object]) -> None:
    block["header"] = ""


CHANGES = [changed_header, changed_signature, changed_transaction, changed_result, dropped_transaction, nothing_left]


@pytest.mark.parametrize("change", CHANGES, ids=[c.__name__ for c in CHANGES])
def test_a_changed_block_is_refused_by_its_slot(folder: Path, change: Callable[[dict[str, object]], None]) -> None:
    lines = lines_of(folder)
    block = json.loads(lines[4])
    slot = block["slot"]
    change(block)
    lines[4] = json.dumps(block)
    assert f"lock {slot}" in refusal(folder, lines)


def test_a_dropped_reordered_or_repeated_block_is_refused_by_its_slot(folder: Path) -> None:
    lines = lines_of(folder)
    before, slot, after = (json.loads(lines[n])["slot"] for n in (3, 4, 5))
    assert f"Block {after} was changed: it does not follow block {before}" in refusal(folder, lines[:4] + lines[5:])
    swapped = [*lines[:4], lines[5], lines[4], *lines[6:]]
    assert f"Block {after} was changed: it does not follow block {before}" in refusal(folder, swapped)
    assert f"Block {slot} was changed: it does not follow block {slot}" in refusal(folder, lines[:5] + lines[4:])
    assert "the chain does not begin with it" in refusal(folder, [lines[0], *lines[2:]])


def test_a_file_that_ends_early_is_refused(folder: Path) -> None:
    lines = lines_of(folder)
    last = json.loads(lines[-2])["slot"]
    assert f"cut off after block {last}" in refusal(folder, lines[:-1])
    assert "does not end with the block" in refusal(folder, lines[:-2] + lines[-1:])
    assert "cut off before the first block" in refusal(folder, lines[:1])
    assert "can not be read" in refusal(folder, [*lines[:3], lines[3][:50]])
    assert "is no block" in refusal(folder, [*lines[:3], "[]"])
    packed = gzip.compress("\n".join(lines).encode())
    (folder / "log.jsonl.gz").write_bytes(packed[: len(packed) // 2])
    with pytest.raises(LedgerDamagedError, match="can not be read"), open_log(folder / "log.jsonl.gz") as source:
        verify(source, Expected(), None)


def test_what_is_no_log_is_said(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "other.json").write_text("{}\n")
    for path in (tmp_path / "empty", tmp_path / "nothing", tmp_path / "other.json"):
        with pytest.raises(LedgerError), open_log(path):
            pass


# -- a log that the authority itself forged: all is signed and linked, but does not follow from the transactions


Forgery = Callable[[StoredBlock], StoredBlock]


LAST = 2 * BLOCKS - 1
"""The last block with a transaction. Users who signed with a later blockhash would have to sign again, too."""


def forged(log: Log, change: Forgery, at: int = LAST) -> Log:
    """The log with one block replaced, and it and all after it linked and signed anew."""
    blocks: list[StoredBlock] = log.stored[:at]
    for number, old in enumerate(log.stored[at:]):
        block = change(old) if number == 0 else old
        header = replace(
            block.header,
            parent_hash=blocks[-1].header.hash,
            transaction_count=len(block.transactions),
            transactions_hash=transactions_hash((t.raw, t.result) for t in block.transactions),
        )
        blocks.append(StoredBlock(header, sign(header, AUTHORITY), block.transactions))
    return Log(log.genesis, blocks)


def stored(transaction: VersionedTransaction, like: StoredTransaction) -> StoredTransaction:
    raw = bytes(transaction)
    return StoredTransaction(raw[1:65], raw, like.result, slot=like.slot)


def another_result(block: StoredBlock) -> StoredBlock:
    stored = block.transactions[0]
    return replace(block, transactions=(replace(stored, result=stored.result.replace('"fee":5000', '"fee":5001')),))


def other_accounts(block: StoredBlock) -> StoredBlock:
    return replace(block, header=replace(block.header, accounts_hash=bytes(32)))


def left_out(block: StoredBlock) -> StoredBlock:
    return replace(block, transactions=())


def twice(block: StoredBlock) -> StoredBlock:
    return replace(block, transactions=block.transactions * 2)


def strange_blockhash(block: StoredBlock) -> StoredBlock:
    old = VersionedTransaction.from_bytes(block.transactions[0].raw).message
    assert isinstance(old, Message)
    gift = transfer(TransferParams(from_pubkey=RICH.pubkey(), to_pubkey=old.account_keys[1], lamports=1))
    message = Message.new_with_blockhash([gift], RICH.pubkey(), type(old.recent_blockhash).new_unique())
    return replace(block, transactions=(stored(VersionedTransaction(message, [RICH]), block.transactions[0]),))


def missing_signature(block: StoredBlock) -> StoredBlock:
    old = VersionedTransaction.from_bytes(block.transactions[0].raw)
    thief = VersionedTransaction.populate(old.message, [Keypair().sign_message(bytes(old.message))])
    return replace(block, transactions=(stored(thief, block.transactions[0]),))


FORGERIES = [another_result, other_accounts, left_out, twice, strange_blockhash, missing_signature]
UNSEEN_WITHOUT_RUNNING = {another_result, other_accounts, left_out}


@pytest.mark.parametrize("forgery", FORGERIES, ids=[f.__name__ for f in FORGERIES])
def test_what_the_authority_made_up_is_refused_by_its_slot(log: Log, forgery: Forgery) -> None:
    forged_log = forged(log, forgery)
    slot = forged_log.stored[LAST].header.slot
    with pytest.raises(LedgerDamagedError, match=f"Block {slot} can not be right"):
        checked(forged_log)
    if forgery in UNSEEN_WITHOUT_RUNNING:
        report = verify(forged_log, Expected(), None)
        assert not report.executed
        assert report.as_json()["checked"]["executed_again"] is False
        return
    with pytest.raises(LedgerDamagedError, match=f"Block {slot} can not be right: its transaction . (lacks|was|has)"):
        verify(forged_log, Expected(), None)


def test_an_old_transaction_can_not_come_back_later(log: Log) -> None:
    """Ten hours later its blockhash is too old, and its message no longer remembered."""
    once = log.stored[1].transactions
    forged_log = forged(log, lambda block: replace(block, transactions=once))
    with pytest.raises(LedgerDamagedError, match="blockhash that was unknown or too old"):
        checked(forged_log)


def test_the_accounts_of_the_genesis_are_not_taken_on_trust(log: Log) -> None:
    generous = describe(Genesis(RICH.pubkey(), {RICH.pubkey(): 10**16}), AUTHORITY.pubkey(), {})
    assert Replay(generous, []).accounts_hash != log.stored[0].header.accounts_hash
    first = replace(log.stored[0].header, transactions_hash=hashlib.sha256(generous.encode()).digest())
    forged_log = Log(generous, [StoredBlock(first, sign(first, AUTHORITY), ())])
    with pytest.raises(LedgerDamagedError, match="Block 0 can not be right"):
        checked(forged_log)


def test_a_program_that_is_not_at_hand_is_named(log: Log) -> None:
    binary = program_binary("oracle")
    text = describe(Genesis(RICH.pubkey(), {}), AUTHORITY.pubkey(), {PROGRAM_IDS["oracle"]: binary})
    with pytest.raises(LedgerError, match=r"--programs.*--no-execute"):
        Replay(text, [b"another"])
    Replay(text, [b"another", binary])


# -- auditors


def countersigned(log: Log, head: Header, auditor: Keypair) -> Countersignature:
    return Countersignature.sign(log.stored[0].header.hash, head, auditor)


def test_a_countersigned_head_shows_what_was_cut_off_or_rewritten(log: Log) -> None:
    auditor = Keypair()
    countersignature = countersigned(log, log.stored[-1].header, auditor)
    report = checked(log, Expected(auditor=auditor.pubkey(), countersignatures=[countersignature]))
    assert report.countersigned == (countersignature,)
    cut = Log(log.genesis, log.stored[:-2])
    checked(cut)
    with pytest.raises(
        LedgerDamagedError, match=f"Block {countersignature.slot}, as .* countersigned it, is not in this log"
    ):
        checked(cut, Expected(countersignatures=[countersignature]))
    rewritten = forged(log, left_out)
    with pytest.raises(LedgerDamagedError, match="is not in this log"):
        verify(rewritten, Expected(countersignatures=[countersignature]), None)
    with pytest.raises(LedgerDamagedError, match="No block of this log was countersigned"):
        checked(log, Expected(auditor=Keypair().pubkey(), countersignatures=[countersignature]))


def test_a_countersignature_is_of_this_chain_and_genuine(log: Log) -> None:
    countersignature = countersigned(log, log.stored[3].header, Keypair())
    assert Countersignature.from_json(countersignature.to_json()) == countersignature
    for wrong in (
        replace(countersignature, auditor=Keypair().pubkey()),
        replace(countersignature, time_ms=countersignature.time_ms + 1),
        replace(countersignature, genesis_hash=bytes(32)),
    ):
        log.countersignatures = [wrong]
        with pytest.raises(LedgerDamagedError, match=f"countersignature of block {countersignature.slot} is not"):
            checked(log)
    for text in (
        "",
        "[]",
        "{}",
        countersignature.to_json().replace(str(countersignature.slot), "-1", 1),
        countersignature.to_json()[:-9] + '"}',
    ):
        with pytest.raises(ValueError, match="not a countersignature"):
            Countersignature.from_json(text)


# -- the commands


def output_of(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    assert main(["ledger", *arguments]) == code
    out, err = capsys.readouterr()
    return out if code == 0 else err


def test_an_auditor_countersigns_a_day_and_finds_it_again(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # block 0 lies at 2025-06-15 15:06:40, and one every ten hours after it
    key, auditor = tmp_path / "auditor.json", Keypair()
    key.write_text(auditor.to_json())
    key.chmod(0o600)
    countersignature = output_of(capsys, "countersign", str(folder), "--key", str(key), "--day", "2025-06-16")
    (tmp_path / "word.json").write_text(countersignature)
    signed = json.loads(countersignature)
    assert signed["auditor"] == str(auditor.pubkey())
    with open_log(folder) as source:
        days = [block.header for block in source.blocks() if block.header.time_ms < 1_750_118_400_000]
    assert signed["slot"] == days[-1].slot

    auditor_flag = ("--auditor", str(auditor.pubkey()))
    report = json.loads(output_of(capsys, "verify", str(folder), *auditor_flag, "--json"))
    assert report["countersigned"][0]["slot"] == signed["slot"]
    assert report["checked"]["executed_again"] is True
    output_of(capsys, "export", str(folder), "--out", str(tmp_path / "log.jsonl.gz"))
    text = output_of(
        capsys, "verify", str(tmp_path / "log.jsonl.gz"), *auditor_flag, "--genesis-hash", report["genesis_hash"]
    )
    assert f"Countersigned by {auditor.pubkey()}: block {signed['slot']}" in text
    assert "Not verified: what the ledger's own file holds" in text
    assert "Not verified: that results and accounts follow" in output_of(capsys, "verify", str(folder), "--no-execute")

    output_of(capsys, "verify", str(folder), "--auditor", str(Keypair().pubkey()), code=EXIT_FAILED)
    output_of(capsys, "verify", str(folder), "--genesis-hash", "1" * 32, code=EXIT_FAILED)
    output_of(capsys, "verify", str(folder), "--countersignature", str(tmp_path / "word.json"))


def test_a_countersignature_made_from_an_export_is_added_to_the_ledger(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = tmp_path / "auditor.json"
    key.write_text(Keypair().to_json())
    key.chmod(0o600)
    output_of(capsys, "export", str(folder), "--out", str(tmp_path / "log.jsonl"))
    countersignature = output_of(capsys, "countersign", str(tmp_path / "log.jsonl"), "--key", str(key), "--head")
    (tmp_path / "word.json").write_text(countersignature)
    output_of(capsys, "countersign", str(folder), "--add", str(tmp_path / "word.json"))
    auditor = json.loads(countersignature)["auditor"]
    output_of(capsys, "verify", str(folder), "--auditor", auditor)
    (tmp_path / "word.json").write_text(countersignature.replace('"slot": ', '"slot": 1'))
    assert "is not" in output_of(
        capsys, "countersign", str(folder), "--add", str(tmp_path / "word.json"), code=EXIT_FAILED
    )


def test_a_day_that_can_not_be_signed_is_said(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = tmp_path / "auditor.json"
    key.write_text(Keypair().to_json())
    key.chmod(0o600)
    for day, reason in (("2025-06-14", "--head"), ("2999-01-01", "is not over")):
        assert reason in output_of(capsys, "countersign", str(folder), "--key", str(key), "--day", day, code=78)


def test_verify_names_the_slot_and_ends_with_one(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with sqlite3.connect(folder / "ledger.sqlite") as db:
        (slot,) = db.execute("SELECT slot FROM transactions ORDER BY slot LIMIT 1 OFFSET 2").fetchone()
        db.execute("UPDATE transactions SET result = result || ' ' WHERE slot = ?", (slot,))
    db.close()
    assert f"Block {slot} was changed" in output_of(capsys, "verify", str(folder), code=EXIT_FAILED)


@pytest.mark.parametrize("statement", ["UPDATE accounts SET lamports = lamports + 1", "DELETE FROM touched"])
def test_verify_of_a_folder_compares_what_no_block_signs(
    folder: Path, statement: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with sqlite3.connect(folder / "ledger.sqlite") as db:
        db.execute(statement)
    db.close()
    output_of(capsys, "verify", str(folder), code=EXIT_FAILED)
    output_of(capsys, "export", str(folder), "--out", str(folder / "log.jsonl"))
    output_of(capsys, "verify", str(folder / "log.jsonl"))


def test_the_command_without_a_folder_is_a_usage_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PEERWATT_LEDGER_STATE", raising=False)
    for arguments in (["ledger"], ["ledger", "verify"], ["ledger", "countersign", "x"]):
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        assert caught.value.code == 2
