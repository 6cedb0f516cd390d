"""How steps are carried out, by what the chain says of each transaction: sent again, signed anew, or waited for."""

from collections.abc import Callable
from typing import Any

import pytest
from solders.keypair import Keypair

from hub.chain.errors import (
    AlreadyProcessedError,
    BlockhashExpiredError,
    ChainUnreachableError,
    NodesDisagreeError,
    NotYetFinalError,
    ProgramError,
    TransactionFailedError,
)
from hub.chain.transaction_outcome import Status, TransactionOutcome
from hub.clock import ManualClock, at_s
from hub.postgres.db import Pool
from hub.settlement import onchain, repository
from hub.settlement.keys import SettlementKeys
from hub.settlement.planner import plan_cleared
from hub.settlement.steps import executor as module
from hub.settlement.steps.executor import StepExecutor, StepRefusedError
from support.rows.site_rows import lead
from support.rows.worked_example import INTERVAL_S, START_S
from support.settlement.scripted_chain import CONFIRMED, EXPIRED, FINAL, GONE, REFUSED, UNKNOWN, ScriptedChain, outcome

NOW_MS = (START_S + 10 * INTERVAL_S) * 1000
STEPS = ["attest", "mint", "open", "settle", "settle", "close"]


@pytest.fixture
def chain() -> ScriptedChain:
    return ScriptedChain()


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Names the kinds of step whose effect the chain holds."""
    kinds: set[str] = set()

    async def is_done(_: object, step: Any, __: object) -> bool:
        return step.kind in kinds

    monkeypatch.setattr(onchain, "is_done", is_done)
    return kinds


@pytest.fixture
async def steps(cleared: Pool, chain: ScriptedChain, done: set[str], monkeypatch: pytest.MonkeyPatch) -> StepExecutor:
    """The steps of a planned interval, under a lease, on that chain."""
    monkeypatch.setattr(module, "POLL_S", 0)
    lease, clock, key = await lead(cleared), ManualClock(NOW_MS), Keypair()
    await plan_cleared(cleared, lease, clock, batch_lines=2)
    async with cleared.acquire() as connection:
        rows = await repository.interval_rows(connection, START_S)
    keys = SettlementKeys(key, (key,), key)
    client: Any = chain
    return StepExecutor(cleared, lease, clock, client, keys, key.pubkey(), rows, price_micro_lamports=7)


async def states(pool: Pool) -> dict[str, str]:
    """Returns the states of the transactions, by what was signed."""
    rows = await pool.fetch("SELECT raw, state FROM blockchain_transactions")
    return {bytes(row["raw"]).decode().removeprefix("transaction "): row["state"] for row in rows}


async def test_each_step_is_signed_and_sent_once_and_ends_final(steps: StepExecutor, chain: ScriptedChain) -> None:
    await steps.run()
    assert chain.sent == chain.signed and len(chain.sent) == len(STEPS) and chain.prices == {7}
    rows = await steps.pool.fetch("SELECT kind, state, compute_units FROM blockchain_transactions ORDER BY raw")
    assert [tuple(row) for row in rows] == [(kind, "finalized", 1_234) for kind in STEPS]
    query = "SELECT bool_and(state = 'finalized') FROM settlement_steps WHERE start_at = $1"
    assert await steps.pool.fetchval(query, at_s(START_S))
    await steps.run()
    assert len(chain.sent) == len(STEPS), "what is final is not done again"


async def test_what_is_done_is_not_sent(steps: StepExecutor, chain: ScriptedChain, done: set[str]) -> None:
    done |= {"attest", "mint", "settle"}
    await steps.run()
    kinds = await steps.pool.fetch("SELECT kind FROM blockchain_transactions ORDER BY raw")
    assert [row["kind"] for row in kinds] == ["open", "close"]


async def test_what_no_node_knows_is_sent_again_once_a_second(steps: StepExecutor, chain: ScriptedChain) -> None:
    assert module.POLLS_PER_SEND == 20
    chain.script = [UNKNOWN] * 41
    await steps.run()
    assert chain.sent.count(chain.signed[0]) == 3 and len(chain.signed) == len(STEPS)


async def test_what_nodes_know_is_not_sent_again(steps: StepExecutor, chain: ScriptedChain) -> None:
    processed = outcome(Status(5, "processed", None))
    chain.script = [GONE] * 30 + [processed] * 30
    await steps.run()
    assert chain.sent == chain.signed


@pytest.mark.parametrize(
    ("lost", "state", "error"),
    [(EXPIRED, "expired", None), (outcome(Status(5, "finalized", REFUSED)), "failed", "refused on the chain")],
)
async def test_what_can_not_land_is_signed_anew(
    steps: StepExecutor, chain: ScriptedChain, capsys: pytest.CaptureFixture[str],
    lost: TransactionOutcome, state: str, error: str | None,
) -> None:  # fmt: skip
    chain.script = [UNKNOWN, lost]
    await steps.run()
    said = "".join(capsys.readouterr()).split("a transaction will not count")[1].splitlines()[0]
    assert state in said and "attest" in said and (error or "None") in said
    assert len(chain.signed) == len(STEPS) + 1
    assert await states(steps.pool) == {"0": state} | dict.fromkeys(map(str, range(1, 7)), "finalized")
    assert await steps.pool.fetchval("SELECT error FROM blockchain_transactions WHERE state = $1", state) == error


@pytest.mark.parametrize("level", ["processed", "confirmed"])
async def test_a_failure_that_is_not_final_may_be_taken_back(
    steps: StepExecutor, chain: ScriptedChain, level: Any
) -> None:
    chain.script = [outcome(Status(5, level, REFUSED))] * 3
    await steps.run()
    assert chain.sent == chain.signed and len(chain.signed) == len(STEPS)


async def test_the_next_step_begins_when_one_is_confirmed(steps: StepExecutor, chain: ScriptedChain) -> None:
    """All of them are followed until they are final."""
    chain.script = [CONFIRMED] * len(STEPS) + [CONFIRMED] * len(STEPS)
    await steps.run()
    assert chain.sent == chain.signed and set((await states(steps.pool)).values()) == {"finalized"}
    slots = await steps.pool.fetch("SELECT DISTINCT slot FROM blockchain_transactions")
    assert [row["slot"] for row in slots] == [5]


@pytest.mark.parametrize(("lost", "signed_anew"), [(GONE, 0), (EXPIRED, 1)], ids=["may land again", "expired"])
async def test_a_block_may_be_abandoned_before_it_is_final(
    steps: StepExecutor, chain: ScriptedChain, lost: TransactionOutcome, signed_anew: int
) -> None:
    chain.script = [CONFIRMED] * len(STEPS) + [lost]
    await steps.run()
    assert len(chain.signed) == len(STEPS) + signed_anew
    found = await states(steps.pool)
    assert found["0"] == ("expired" if signed_anew else "finalized")


async def test_what_was_confirmed_before_is_looked_at_first(
    steps: StepExecutor, chain: ScriptedChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker begins again; meanwhile the block with the attestation was abandoned and the transaction has expired."""
    chain.script = [CONFIRMED] * 2

    async def killed(*_: object) -> None:
        raise ConnectionResetError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(StepExecutor, "_finalize", killed)
        confirm = StepExecutor._confirm

        async def confirm_two(self: StepExecutor, step: Any) -> None:
            if step.kind == "open":
                raise ConnectionResetError("killed")
            await confirm(self, step)

        patch.setattr(StepExecutor, "_confirm", confirm_two)
        with pytest.raises(ConnectionResetError):
            await steps.run()
    chain.script = [EXPIRED, FINAL]
    await steps.run()
    kinds = await steps.pool.fetch("SELECT kind FROM blockchain_transactions ORDER BY raw")
    assert [row["kind"] for row in kinds][:3] == ["attest", "mint", "attest"]


@pytest.mark.parametrize(
    "error", [AlreadyProcessedError("x"), BlockhashExpiredError("x"), TransactionFailedError("x"), None]
)
async def test_what_a_node_answers_to_a_transaction_is_left_to_its_status(
    steps: StepExecutor, chain: ScriptedChain, error: Exception | None
) -> None:
    chain.send_error = error
    await steps.run()
    assert len(chain.sent) == len(STEPS)


async def test_no_answer_ends_the_round(steps: StepExecutor, chain: ScriptedChain) -> None:
    chain.send_error = ChainUnreachableError("away")
    with pytest.raises(ChainUnreachableError):
        await steps.run()
    assert await states(steps.pool) == {"0": "submitted"}, "it was stored before it was sent"


# Refusals ------------------------------------------------------------------------------------------------------------


def refused(name: str) -> ProgramError:
    return ProgramError("trading", 6_000, name, "no")


async def test_a_refused_step_is_tried_again_later(steps: StepExecutor, chain: ScriptedChain) -> None:
    chain.refusal = refused("CreditOpen")
    with pytest.raises(StepRefusedError, match=r"^attest of interval 2026-06-01T10:00:00Z: trading refused") as error:
        await steps.run()
    assert (error.value.refusal, error.value.code) == ("CreditOpen", "step_refused")
    assert chain.sent == []


@pytest.mark.parametrize(
    ("kinds_done", "name", "hours", "expected"),
    [
        ({"attest", "mint"}, "TooLate", 12, onchain.TooLateError),
        ({"attest", "mint"}, "TooLate", 11, StepRefusedError),
        ({"attest", "mint"}, "NotOpen", 12, StepRefusedError),
        (set(), "TooLate", 12, StepRefusedError),
    ],
    ids=["open, late", "open, in time by our clock", "another refusal", "another step"],
)
async def test_it_is_too_late_when_program_and_clock_say_so(
    steps: StepExecutor, chain: ScriptedChain, done: set[str], kinds_done: set[str], name: str, hours: int,
    expected: type[Exception],
) -> None:  # fmt: skip
    done |= kinds_done
    chain.refusal = refused(name)
    steps.clock.ms = (START_S + INTERVAL_S + hours * 3_600) * 1000  # type: ignore[attr-defined]
    with pytest.raises(expected) as error:
        await steps.run()
    assert type(error.value) is expected


# Limits --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("says", "expected"),
    [
        (outcome(Status(5, "processed", None)), NotYetFinalError),
        (outcome(Status(5, "processed", None), disputed=True), NodesDisagreeError),
    ],
)
async def test_a_step_is_waited_for_so_long(
    steps: StepExecutor, chain: ScriptedChain, monkeypatch: pytest.MonkeyPatch, says: TransactionOutcome, expected: Any
) -> None:
    assert module.TIME_LIMIT_S == 40.0
    monkeypatch.setattr(module, "TIME_LIMIT_S", 0.2)

    def always() -> TransactionOutcome:
        return says

    chain._outcome = always  # type: ignore[method-assign]
    with pytest.raises(expected) as error:
        await steps.run()
    assert "2026-06-01T10:00:00Z" in str(error.value)
    if expected is NotYetFinalError:
        assert str(error.value).endswith("is not final after 0 s")


async def test_a_refusal_while_nodes_disagree_is_theirs(steps: StepExecutor, chain: ScriptedChain) -> None:
    """One node does not know the step before: what it refuses says nothing."""
    chain.script = [outcome(Status(5, "confirmed", None), disputed=True)]
    prepare: Callable[..., Any] = chain.prepare

    async def second_refused(*arguments: Any, **options: Any) -> Any:
        if chain.signed:
            raise refused("NotAttested")
        return await prepare(*arguments, **options)

    chain.prepare = second_refused  # type: ignore[method-assign]
    with pytest.raises(NodesDisagreeError):
        await steps.run()


async def test_final_transactions_of_an_ended_interval_are_recorded(
    steps: StepExecutor, chain: ScriptedChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that are final and succeeded, and no other."""
    chain.script = [CONFIRMED] * 6

    async def ended(_: object) -> None:
        raise onchain.AbortedError(START_S, None)

    monkeypatch.setattr(StepExecutor, "_finalize", ended)
    with pytest.raises(onchain.AbortedError):
        await steps.run()
    chain.script = [FINAL, CONFIRMED, GONE, outcome(Status(5, "finalized", REFUSED)), FINAL, CONFIRMED]
    await steps.record_final_transactions()
    found = await states(steps.pool)
    assert [found[str(number)] for number in range(6)] == [
        "finalized", "confirmed", "confirmed", "confirmed", "finalized", "confirmed",
    ]  # fmt: skip
