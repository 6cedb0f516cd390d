"""The chain in process, with a clock that the test sets: validity, commitments, restart, and a disk that is full."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from hub.ledger.chain import TransactionRefusedError
from hub.ledger.errors import WriteRefusedError
from hub.ledger.opening import Limits
from hub.ledger.recent import Commitment
from support.servers.ledger_site import LAMPORTS, RICH, Site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    opened = Site(tmp_path / "ledger.sqlite")
    yield opened
    opened.chain.repository.close()


def refusal(site: Site, transaction: VersionedTransaction) -> str:
    with pytest.raises(TransactionRefusedError) as caught:
        site.chain.check(transaction)
    return caught.value.error


def test_a_blockhash_carries_for_a_minute(site: Site) -> None:
    payments = [site.payment() for _ in range(2)]
    site.clock.advance(150 * 400)
    site.submit(payments[0])
    site.chain.commit()
    site.clock.advance(400)
    assert refusal(site, payments[1]) == "BlockhashNotFound"


def test_load_does_not_age_a_blockhash(site: Site) -> None:
    payments = [site.payment() for _ in range(2)]
    _, last_height = site.chain.latest_blockhash()
    for _ in range(300):
        site.submit(site.payment())
        site.chain.commit()
        site.clock.advance(40)
    assert site.chain.slot() >= 300
    site.submit(payments[0])
    site.chain.commit()
    site.clock.advance(150 * 400 - 300 * 40)
    assert site.chain.height() == last_height
    site.chain.check(payments[1])
    site.clock.advance(400)
    assert refusal(site, payments[1]) == "BlockhashNotFound"


def test_repeats_are_known_as_long_as_their_blockhash(site: Site) -> None:
    first = site.payment()
    site.submit(first)
    for step in range(140):
        site.chain.commit()
        site.clock.advance(400)
        site.submit(site.payment())
        if step % 50 == 0:
            site.chain.commit()
            site.chain.repository.close()
            site.open()
        assert refusal(site, first) == "AlreadyProcessed"


def test_a_restart_changes_nothing_about_blockhashes(site: Site) -> None:
    payments = []
    for step in range(40):
        payments.append(site.payment())
        site.clock.advance(130 * (step % 7))
        if step % 3 == 0:
            site.submit(site.payment())
            site.clock.advance(90)
            payments.append(site.payment())
            site.chain.commit()
        if step % 5 == 0:
            site.chain.finalise()
    for _ in range(2):
        before = site.chain.slot()
        site.chain.repository.close()
        site.open()
        assert site.chain.slot() == before
        for transaction in payments:
            site.chain.check(transaction)
    site.clock.advance(151 * 400)
    assert {refusal(site, transaction) for transaction in payments} == {"BlockhashNotFound"}


def test_reads_see_what_their_commitment_allows(site: Site) -> None:
    to = Keypair().pubkey()
    transaction = site.payment(to)
    seen = []
    steps: list[Callable[[], None]] = [
        lambda: None,
        lambda: site.submit(transaction),
        site.chain.commit,
        site.chain.finalise,
    ]
    for step in steps:
        step()
        levels: tuple[Commitment, ...] = ("processed", "confirmed", "finalized")
        seen.append([site.level(transaction), *[site.lamports(to, level) // LAMPORTS for level in levels]])
    assert seen == [
        [None, 0, 0, 0],
        ["processed", 1, 0, 0],
        ["confirmed", 1, 1, 0],
        ["finalized", 1, 1, 1],
    ]


def test_the_next_block_seals_the_one_before(site: Site) -> None:
    first, second = site.payment(), site.payment()
    site.submit(first)
    site.chain.commit()
    site.submit(second)
    assert (site.level(first), site.level(second)) == ("confirmed", "processed")
    site.chain.commit()
    assert (site.level(first), site.level(second)) == ("finalized", "confirmed")


def test_owned_accounts_follow_the_commitment_too(site: Site) -> None:
    to, system = Keypair().pubkey(), Pubkey.default()
    site.submit(site.payment(to))
    hidden = site.chain.hidden_layers("confirmed")
    assert to in [key for key, _ in site.chain.bank.owned_by(system)]
    assert to not in [key for key, _ in site.chain.bank.owned_by(system, hidden)]
    before = dict(site.chain.bank.owned_by(system, hidden))[RICH.pubkey()]
    assert before.lamports == 10**15


def test_a_transaction_is_taken_once_even_after_a_restart(site: Site) -> None:
    transaction = site.payment()
    site.submit(transaction)
    assert refusal(site, transaction) == "AlreadyProcessed"
    site.chain.commit()
    assert refusal(site, transaction) == "AlreadyProcessed"
    site.chain.repository.close()
    site.open()
    assert refusal(site, transaction) == "AlreadyProcessed"
    assert site.level(transaction) == "finalized"


def test_a_process_that_dies_before_the_commit_leaves_no_trace(site: Site) -> None:
    to = Keypair().pubkey()
    transaction = site.payment(to)
    site.submit(transaction)
    site.chain.repository.close()
    site.open()
    assert site.lamports(to, "processed") == 0
    site.submit(transaction)
    site.chain.commit()
    assert site.lamports(to, "confirmed") == LAMPORTS


def test_a_block_that_can_not_be_written_is_taken_back(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    kept, lost = site.payment(), site.payment(to := Keypair().pubkey())
    site.submit(kept)
    site.chain.commit()
    hash_before = site.chain.bank.accounts_hash
    site.submit(lost)
    append = site.chain.repository.append

    def full(*_: object) -> None:
        raise WriteRefusedError("The disk is full: free space")

    monkeypatch.setattr(site.chain.repository, "append", full)
    with pytest.raises(WriteRefusedError):
        site.chain.commit()
    assert "free space" in str(site.chain.write_fault)
    assert (site.level(kept), site.level(lost)) == ("confirmed", None)
    assert site.lamports(to, "processed") == 0
    assert site.chain.bank.accounts_hash == hash_before
    with pytest.raises(WriteRefusedError):
        site.submit(site.payment())
    monkeypatch.setattr(site.chain.repository, "append", append)
    site.chain.recover()
    site.submit(lost)
    site.chain.commit()
    assert not site.chain.write_fault
    assert site.lamports(to, "confirmed") == LAMPORTS
    site.chain.repository.close()
    site.open()


def test_the_time_never_runs_back(site: Site) -> None:
    site.submit(site.payment())
    site.chain.commit()
    head = site.chain.head
    site.clock.advance(-3_600_000)
    site.submit(site.payment())
    site.chain.commit()
    assert site.chain.head.time_ms == head.time_ms
    assert site.chain.head.slot == head.slot + 1
    site.chain.repository.close()
    site.open(limits=Limits(gap_days=-1))


def test_a_skipped_slot_is_answered_without_the_blocks_after_it(site: Site, tmp_path: Path) -> None:
    site.clock.advance(4000)
    site.submit(site.payment())
    site.chain.commit()
    with sqlite3.connect(tmp_path / "ledger.sqlite") as db:
        db.execute("UPDATE blocks SET header = x'00' WHERE slot > 0")
    db.close()
    assert site.chain.repository.block(3) is None


def test_an_idle_chain_writes_nothing(site: Site, tmp_path: Path) -> None:
    site.clock.advance(3_600_000)
    site.chain.commit()
    site.chain.finalise()
    assert site.chain.slot() == 9000
    with sqlite3.connect(tmp_path / "ledger.sqlite") as db:
        assert db.execute("SELECT count(*) FROM blocks").fetchone() == (1,)
    db.close()
