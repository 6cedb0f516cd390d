"""Settlements that are aborted before their close: all money is returned, and the trades become utility energy."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from hub.chain import pdas, unwind
from hub.chain.instructions import trading
from hub.chain.transaction_outcome import Level, Status
from hub.chain.transactions import SignedTransaction
from hub.clock import ManualClock, SystemClock
from hub.errors import PermanentError
from hub.operations.doctor import _aborts
from hub.settings import Settings
from hub.settlement import onchain, repository
from hub.settlement.abort import ReturnRefusedError, abort_and_return
from hub.settlement.instructions import chain_lines
from hub.settlement.lines import line_leaf, line_of
from hub.settlement.reconcile import compare_all, compare_sums, reconcile_due
from hub.settlement.repository import IntervalRows
from hub.settlement.steps.executor import StepExecutor, StepRefusedError
from hub.settlement.steps.repository import StepRow
from hub.settlement.submitter import Submitter
from support.rows.site_rows import lead
from support.servers.ledger import LedgerProcess
from support.settlement.campus import ENERGY, SettlingCampus, wallet_of
from support.waiting import PATIENCE_S

HOUR_S = 3600


async def balances(campus: SettlingCampus) -> list[int]:
    wallets = [pdas.account(wallet_of(person).pubkey()) for person in campus.people]
    accounts = await campus.chain.accounts("trading", "Account", wallets)
    return [account.balance_micros for account in accounts if account is not None]


async def rows_of(campus: SettlingCampus, start_s: int) -> IntervalRows:
    async with campus.pool.acquire() as connection:
        return await repository.interval_rows(connection, start_s)


async def settle_up_to(campus: SettlingCampus, kind: str, batch: int = 0) -> None:
    """Settles planned intervals up to this step, without it."""
    submitter, submit = await campus.submitter(), StepExecutor._submit

    async def submit_or_die(executor: StepExecutor, step: StepRow) -> None:
        if (step.kind, step.batch) == (kind, batch):
            raise ConnectionResetError("killed before the step")
        await submit(executor, step)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StepExecutor, "_submit", submit_or_die)
        with pytest.raises(ConnectionResetError):
            await submitter.settle_due()


async def abort_as_settler(campus: SettlingCampus, start_s: int) -> None:
    instruction = trading.abort(campus.keys.settler.pubkey(), start_s)
    await campus.chain.run([instruction], [campus.keys.fee_payer, campus.keys.settler])


async def stuck_interval(campus: SettlingCampus) -> int:
    """Settles all lines of an interval whose committed root is that of other lines; returns its start."""
    start_s = await campus.interval(ENERGY)
    await campus.pool.execute("UPDATE settlements SET lines_root = $1", bytes(32))
    submitter = await campus.submitter()
    assert await submitter.settle_due() == []
    error = submitter.deferred.errors[start_s]
    assert isinstance(error, StepRefusedError)
    assert error.refusal == "RootMismatch"
    return start_s


async def at_hour(campus: SettlingCampus, start_s: int, hours: int) -> Submitter:
    return replace(await campus.submitter(), clock=ManualClock((start_s + hours * HOUR_S) * 1000))


async def doctor(db_url: str) -> str:
    return await _aborts(Settings(state_dir=Path(), database_url=SecretStr(db_url)))


async def check_released(campus: SettlingCampus, start_s: int, before: list[int]) -> None:
    """Checks that chain, bills and rows are as if nothing had been traded."""
    assert (await onchain.read_settlement(campus.chain, start_s)).status == onchain.ABORTED
    assert await balances(campus) == before
    assert await campus.chain.token_supply(pdas.energy_mint()) == 0
    counts = [await campus.pool.fetchval(f"SELECT count(*) FROM {name}") for name in ("settlement_lines", "trades")]  # noqa: S608
    assert counts == [0, 0]
    assert await campus.pool.fetchval("SELECT sum(wh) FROM released_trades") == 1000
    utility = await campus.pool.fetch("SELECT utility_wh FROM utility_lines ORDER BY participant_id")
    assert [row["utility_wh"] for row in utility] == list(ENERGY)
    states = await campus.pool.fetch("SELECT DISTINCT state FROM blockchain_transactions WHERE kind <> 'close'")
    assert [row["state"] for row in states] == ["finalized"]
    assert await reconcile_due(campus.pool, await lead(campus.pool), SystemClock(), campus.chain) == [start_s]
    report = await compare_all(campus.pool, campus.chain)
    assert report.differences == []
    assert len(report.notes) == 1
    assert "its settlement was aborted" in report.notes[0]
    assert "its trades are utility energy" in report.notes[0]


@pytest.mark.parametrize("before_step", ["settle", "close"])
async def test_who_aborts_with_the_settlers_key_takes_nothing_and_is_noticed(
    lone_campus: SettlingCampus, db_url: str, capsys: pytest.CaptureFixture[str], before_step: str
) -> None:
    campus, before = lone_campus, await balances(lone_campus)
    start_s = await campus.interval(ENERGY)
    assert await doctor(db_url) == "no settlement was aborted in the last seven days"
    await settle_up_to(campus, before_step)
    assert (await balances(campus) == before) == (before_step == "settle")
    await abort_as_settler(campus, start_s)
    assert await (await campus.submitter()).settle_due() == [start_s]
    assert "aborted_by_settler" in "".join(capsys.readouterr())
    await check_released(campus, start_s, before)
    with pytest.raises(PermanentError, match="the key is in other hands"):
        await doctor(db_url)


async def test_a_settlement_that_others_have_returned_is_released(
    lone_campus: SettlingCampus, capsys: pytest.CaptureFixture[str]
) -> None:
    campus, before = lone_campus, await balances(lone_campus)
    start_s = await campus.interval(ENERGY)
    await settle_up_to(campus, "close")
    await abort_as_settler(campus, start_s)
    await abort_and_return(campus.chain, campus.keys.fee_payer, await rows_of(campus, start_s), 0)
    assert await (await campus.submitter()).settle_due() == [start_s]
    assert "aborted_by_settler" in "".join(capsys.readouterr())
    await check_released(campus, start_s, before)


async def test_an_aborted_settlement_of_an_interval_with_lines_is_a_difference(lone_campus: SettlingCampus) -> None:
    campus = lone_campus
    start_s = await campus.interval(ENERGY)
    await settle_up_to(campus, "close")
    await abort_as_settler(campus, start_s)
    await abort_and_return(campus.chain, campus.keys.fee_payer, await rows_of(campus, start_s), 0)
    await campus.pool.execute("UPDATE intervals SET state = 'closed'")
    assert await reconcile_due(campus.pool, await lead(campus.pool), SystemClock(), campus.chain) == []
    report = await campus.pool.fetchval("SELECT reconcile_report FROM settlements")
    assert "status is aborted on the chain and closed here" in report["differences"]


async def test_what_can_not_close_waits_a_day_and_comes_back(
    lone_campus: SettlingCampus, lone_ledger: LedgerProcess, db_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    campus, before = lone_campus, await balances(lone_campus)
    start_s = await stuck_interval(campus)
    early = await at_hour(campus, start_s, 24)
    assert await early.settle_due() == []
    assert isinstance(early.deferred.errors[start_s], StepRefusedError)
    wrong_clock = await at_hour(campus, start_s, 25)
    assert await wrong_clock.settle_due() == []
    assert isinstance(wrong_clock.deferred.errors[start_s], ReturnRefusedError)
    assert "TooEarlyToAbort" in str(wrong_clock.deferred.errors[start_s])
    assert (await onchain.read_settlement(campus.chain, start_s)).status == onchain.OPEN
    lone_ledger.restart_ahead(25 * HOUR_S)
    assert await (await at_hour(campus, start_s, 25)).settle_due() == [start_s]
    await check_released(campus, start_s, before)
    assert "needs a person" not in "".join(capsys.readouterr())
    assert "its trades are utility energy" in await doctor(db_url)


async def test_what_nobody_refuses_is_closed_however_late(
    lone_campus: SettlingCampus, lone_ledger: LedgerProcess
) -> None:
    """A hub that was off for a day goes on where it stopped."""
    campus = lone_campus
    start_s = await campus.interval(ENERGY)
    await settle_up_to(campus, "close")
    lone_ledger.restart_ahead(25 * HOUR_S)
    assert await (await at_hour(campus, start_s, 25)).settle_due() == [start_s]
    assert (await onchain.read_settlement(campus.chain, start_s)).status == onchain.CLOSED


async def test_killed_after_each_transaction_the_return_goes_on(
    lone_campus: SettlingCampus, lone_ledger: LedgerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    campus, before = lone_campus, await balances(lone_campus)
    start_s = await stuck_interval(campus)
    lone_ledger.restart_ahead(25 * HOUR_S)
    monkeypatch.setattr(unwind, "LINES_PER_BATCH", 2)
    wait, states = campus.chain.wait, []

    async def wait_and_die(transaction: SignedTransaction, *, until: Level) -> Status:
        await wait(transaction, until=until)
        await wait(transaction)
        settlement = await onchain.read_settlement(campus.chain, start_s)
        states.append((settlement.status, settlement.returned_count))
        raise ConnectionResetError("killed when the transaction was there")

    monkeypatch.setattr(campus.chain, "wait", wait_and_die)
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                closed = await (await at_hour(campus, start_s, 25)).settle_due()
                break
            except ConnectionResetError:
                assert (await compare_sums(campus.chain, 0)).differences == []
    assert closed == [start_s]
    returning = onchain.RETURNING
    assert states == [(returning, 0), (returning, 1), (returning, 3), (returning, 5), (onchain.ABORTED, 5)]
    await check_released(campus, start_s, before)


async def test_lines_that_others_have_returned_are_left_out(
    lone_campus: SettlingCampus, monkeypatch: pytest.MonkeyPatch
) -> None:
    campus, before = lone_campus, await balances(lone_campus)
    start_s = await campus.interval(ENERGY)
    await campus.pool.execute("UPDATE settlement_steps SET end_line = 3 WHERE kind = 'settle'")
    await campus.pool.execute(
        """
        INSERT INTO settlement_steps (start_at, kind, batch, first_line, end_line, state)
        SELECT start_at, kind, 1, 3, 5, state FROM settlement_steps WHERE kind = 'settle'
        """
    )
    await settle_up_to(campus, "settle", batch=1)
    await abort_as_settler(campus, start_s)
    rows = await rows_of(campus, start_s)
    leaves = [line_leaf(start_s, index, line_of(row)) for index, row in enumerate(rows.lines)][:3]
    instruction = trading.return_lines(start_s, 0, chain_lines(rows)[:1], unwind.range_proof(leaves, 0, 1))
    await campus.chain.run([instruction], [campus.keys.fee_payer])
    monkeypatch.setattr(unwind, "LINES_PER_BATCH", 1)
    assert await (await campus.submitter()).settle_due() == [start_s]
    await check_released(campus, start_s, before)


async def test_lines_that_are_not_ours_are_a_conflict(lone_campus: SettlingCampus) -> None:
    campus = lone_campus
    start_s = await campus.interval(ENERGY)
    await settle_up_to(campus, "close")
    await abort_as_settler(campus, start_s)
    await campus.pool.execute("UPDATE settlement_lines SET debit_micros = debit_micros + 1 WHERE line_index = 0")
    submitter = await campus.submitter()
    assert await submitter.settle_due() == []
    assert isinstance(submitter.deferred.errors[start_s], onchain.ConflictError)
    assert await campus.pool.fetchval("SELECT count(*) FROM released_trades") == 0
