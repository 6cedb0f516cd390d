"""What settlement tells others: events for pages, reports for operators, and how often it compares again."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from solana.rpc.commitment import Finalized
from solders.keypair import Keypair

from hub import keys as key_files
from hub.chain import pdas
from hub.chain.client import ChainClient
from hub.cli import main
from hub.clock import ManualClock, rfc3339_s
from hub.keys import DemoKeysError
from hub.postgres.db import Pool
from hub.settlement import abort, command, onchain, reconcile
from hub.settlement.deferred import DeferredIntervals
from hub.settlement.fees import PriorityFees
from hub.settlement.keys import SettlementKeys
from hub.settlement.reconcile import DifferenceError, IntervalComparison, Report, SumsComparison, reconcile_due
from hub.settlement.repository import IntervalRows
from hub.settlement.steps.executor import StepExecutor, StepRefusedError
from hub.settlement.submitter import Submitter, read_currency_mint
from support.rows.worked_example import INTERVAL_S, START_S
from support.servers.nodes import NO_CHAIN

CLOCK = ManualClock((START_S + 10 * INTERVAL_S) * 1000)
START, END = rfc3339_s(START_S), rfc3339_s(START_S + INTERVAL_S)
QUIET, QUIET_END = END, rfc3339_s(START_S + 2 * INTERVAL_S)


async def events(pool: Pool) -> list[tuple[str, dict[str, Any]]]:
    """Returns the settlement's events so far, and forgets them."""
    rows = await pool.fetch(
        "DELETE FROM outbox WHERE topic IN ('settlement', 'reconciled') RETURNING sequence, topic, payload"
    )
    return [(row["topic"], row["payload"]) for row in sorted(rows, key=lambda row: row["sequence"])]


async def test_each_stage_is_an_event(submitter: Submitter, monkeypatch: pytest.MonkeyPatch) -> None:
    pool, lease, chain = submitter.pool, submitter.lease, submitter.chain
    assert await events(pool) == [
        ("settlement", {"start_at": START, "end_at": END, "state": "planned", "lines": 3}),
        ("settlement", {"start_at": QUIET, "end_at": QUIET_END, "state": "planned", "lines": 0}),
    ]

    async def run(_: StepExecutor) -> None:
        await pool.execute("UPDATE settlement_steps SET state = 'finalized'")

    monkeypatch.setattr(StepExecutor, "run", run)
    assert await submitter.settle_due() == [START_S, START_S + INTERVAL_S]
    assert await events(pool) == [
        ("settlement", {"start_at": START, "end_at": END, "state": "closed", "lines": 3}),
        ("settlement", {"start_at": QUIET, "end_at": QUIET_END, "state": "closed", "lines": 0}),
    ]
    compared = {START_S: IntervalComparison(["x"]), START_S + INTERVAL_S: IntervalComparison([], ["n"], True, 4)}

    async def compare(_: object, __: object, start_s: int) -> IntervalComparison:
        return compared[start_s]

    monkeypatch.setattr(reconcile, "_compare", compare)
    deferred = DeferredIntervals()
    assert await reconcile_due(pool, lease, CLOCK, chain, deferred=deferred) == [START_S + INTERVAL_S]
    assert await events(pool) == [("reconciled", {"start_at": QUIET, "lines": 4})]
    reports = await pool.fetch("SELECT reconcile_report FROM settlements ORDER BY start_at")
    assert [row["reconcile_report"] for row in reports] == [
        {"checked_at_ms": CLOCK.now_ms(), "differences": ["x"], "notes": [], "alarm": False},
        {"checked_at_ms": CLOCK.now_ms(), "differences": [], "notes": ["n"], "alarm": True},
    ]
    assert isinstance(deferred.errors[START_S], DifferenceError)
    assert (str(deferred.errors[START_S]), DifferenceError.code) == ("x", "settlement_difference")
    assert await reconcile_due(pool, lease, CLOCK, chain, deferred=deferred) == [], "it waits for its next try"
    compared[START_S] = replace(compared[START_S], differences=[], lines=3)
    later = ManualClock(CLOCK.now_ms() + 30_000)
    assert await reconcile_due(pool, lease, later, chain, deferred=deferred) == [START_S]
    assert deferred.errors == {}
    assert await events(pool) == [("reconciled", {"start_at": START, "lines": 3})]


async def test_released_trades_are_an_event(submitter: Submitter, monkeypatch: pytest.MonkeyPatch) -> None:
    await events(submitter.pool)

    async def run(_: StepExecutor) -> None:
        raise onchain.TooLateError("too late")

    monkeypatch.setattr(StepExecutor, "run", run)
    await submitter.settle_due(limit=1)
    released = {"start_at": START, "state": "released", "lines": 0, "trades": 2}
    assert await events(submitter.pool) == [("settlement", released)]


async def test_a_settlement_that_is_refused_for_good_is_aborted_and_released(
    submitter: Submitter, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pool, submitter = submitter.pool, replace(submitter, fees=PriorityFees(7))
    did: list[Any] = []
    due = False

    async def run(_: StepExecutor) -> None:
        raise StepRefusedError("settle: RootMismatch", "RootMismatch")

    async def is_due(_: object, rows: IntervalRows, refusal: str, __: object) -> bool:
        assert (rows.start_s, refusal) == (START_S, "RootMismatch")
        return due

    async def returned(_: object, payer: Keypair, rows: IntervalRows, price: int) -> None:
        did.append((payer, rows.start_s, price))

    async def recorded(_: StepExecutor) -> None:
        did.append("recorded")

    monkeypatch.setattr(StepExecutor, "run", run)
    monkeypatch.setattr(StepExecutor, "record_final_transactions", recorded)
    monkeypatch.setattr(abort, "is_due", is_due)
    monkeypatch.setattr(abort, "abort_and_return", returned)
    assert await submitter.settle_due(limit=1) == []
    assert (did, await pool.fetchval("SELECT count(*) FROM trades")) == ([], 2)
    assert isinstance(submitter.deferred.errors[START_S], StepRefusedError)
    due = True
    submitter.deferred.finish(START_S)
    assert await submitter.settle_due(limit=1) == []
    assert did == [(submitter.keys.fee_payer, START_S, 7), "recorded"]
    assert await pool.fetchval("SELECT count(*) FROM trades") == 0
    output = "".join(capsys.readouterr())
    said = output.split("a settlement is aborted")[1].splitlines()[0]
    assert "settle: RootMismatch" in said


@pytest.mark.parametrize(("agrees_at", "times"), [(1, 1), (4, 4), (5, 5), (6, 5)])
async def test_sums_are_compared_until_they_agree_or_five_times(
    monkeypatch: pytest.MonkeyPatch, agrees_at: int, times: int
) -> None:
    compared, pauses = 0, []

    async def compare(*_: object) -> SumsComparison:
        nonlocal compared
        compared += 1
        return SumsComparison([] if compared == agrees_at else ["differs"], [])

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    monkeypatch.setattr(reconcile, "_compare_sums", compare)
    monkeypatch.setattr("hub.settlement.reconcile.asyncio.sleep", sleep)
    sums: Any = await reconcile.compare_sums_repeatedly(None, None)  # type: ignore[arg-type]
    assert (compared, pauses) == (times, [1.0] * (times - 1))
    assert sums.differences == ([] if agrees_at == times else ["differs"])


async def test_accounts_are_read_as_they_are_final() -> None:
    """What is confirmed only may be taken back."""
    reads: list[tuple[object, ...]] = []

    class Chain:
        url = NO_CHAIN

        async def account(self, program: str, kind: str, address: object, *, commitment: object) -> None:
            reads.append((program, kind, address, commitment))

    chain: Any = Chain()
    await onchain.read_attestation(chain, START_S)
    await onchain.read_minted_interval(chain, START_S)
    await onchain.read_settlement(chain, START_S)
    with pytest.raises(Exception, match="has no market yet: set the chain up first"):
        await read_currency_mint(chain)
    assert reads == [
        ("oracle", "Interval", pdas.interval(START_S), Finalized),
        ("energy_token", "MintedInterval", pdas.minted_interval(START_S), Finalized),
        ("trading", "IntervalSettlement", pdas.settlement(START_S), Finalized),
        ("trading", "Market", pdas.market(), Finalized),
    ]


def test_the_demos_keys_are_refused_unless_it_is_the_demo(tmp_path: Path) -> None:
    made = {name: key_files.load_or_create(tmp_path / f"{name}.json") for name in ("fee_payer", "attestor", "settler")}
    assert SettlementKeys.load(tmp_path) == SettlementKeys(made["fee_payer"], (made["attestor"],), made["settler"])
    key_files.mark_as_demo(tmp_path)
    with pytest.raises(DemoKeysError):
        SettlementKeys.load(tmp_path)
    assert SettlementKeys.load(tmp_path, demo=True).settler == made["settler"]


@pytest.mark.parametrize(("words", "says"), [((), "1 closed intervals compared, 1 differences:"), (("--json",), None)])
def test_the_command_reads_settings_and_prints_the_report(
    db_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...], says: str | None,
) -> None:  # fmt: skip
    asked: list[Any] = []

    async def compare(pool: Pool, chain: ChainClient) -> Report:
        asked.extend([await pool.fetchval("SELECT count(*) FROM settlements"), chain.url])
        return Report(1, ["x"], [])

    monkeypatch.setattr(command, "compare_all", compare)
    config = tmp_path / "hub.toml"
    config.write_text(f'state_dir = "{tmp_path}"\ndatabase_url = "{db_url}"\nrpc_url = "http://127.0.0.1:1"\n')
    assert main(["reconcile", "--config", str(config), *words]) == 1
    output = capsys.readouterr().out
    assert asked == [0, "http://127.0.0.1:1"]
    if says is None:
        assert json.loads(output)["differences"] == ["x"]
    else:
        assert output.startswith(says)
