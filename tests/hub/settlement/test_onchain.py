"""Whether the chain holds what a step does, by one node's accounts: compared with the hub's rows field by field."""

from dataclasses import dataclass, replace
from typing import Any

import pytest
from solders.keypair import Keypair

from hub.chain.client import ChainClient
from hub.clock import ManualClock
from hub.settlement import abort, onchain
from hub.settlement.abort import aborted_by_settler, describe_aborted
from hub.settlement.onchain import (
    ABORTED,
    CLOSED,
    EMPTY,
    MINTABLE_S,
    OPEN,
    RETURNING,
    AbortedError,
    ConflictError,
    TooLateError,
)
from hub.settlement.repository import IntervalRows
from hub.settlement.steps.repository import StepRow
from support.servers.nodes import NO_CHAIN
from support.settlement.closed_interval import (
    END_S,
    NO_LINES,
    START_S,
    answer_with,
    attestation,
    empty,
    minted,
    rows,
    settlement,
)

HOUR_S = 3600


@dataclass
class Accounts:
    """What the chain holds for the interval."""

    attestation: Any = None
    minted: Any = None
    settlement: Any = None

    async def done(self, kind: str, of: IntervalRows | None = None, *, end_line: int | None = None) -> bool:
        """Returns what `is_done` says of a step by one node."""
        step = StepRow(START_S, kind, 0, None, end_line, "planned", None, None)
        async with ChainClient(NO_CHAIN) as chain:
            return await onchain.is_done(chain, step, of or rows())


@pytest.fixture
def chain(monkeypatch: pytest.MonkeyPatch) -> Accounts:
    accounts = Accounts()
    answer_with(accounts, monkeypatch)
    return accounts


@pytest.mark.parametrize("kind", ["attest", "mint", "open", "settle", "close"])
async def test_a_step_is_not_done_when_there_is_no_account(chain: Accounts, kind: str) -> None:
    assert not await chain.done(kind, end_line=1)


async def test_attestation_and_mint_are_done_when_they_are_ours(chain: Accounts) -> None:
    chain.attestation, chain.minted = attestation(), minted()
    assert await chain.done("attest") and await chain.done("mint")


@pytest.mark.parametrize(
    ("account", "field", "theirs", "says"),
    [
        ("attestation", "merkle_root", b"x" * 32, f"merkle_root is {'78' * 32} on the chain and {'6d' * 32} here"),
        ("attestation", "meters_valid", 4, "meters_valid is 4 on the chain and 3 here"),
        ("attestation", "meters_estimated", 0, "meters_estimated is 0 on the chain and 1 here"),
        ("attestation", "import_wh", 1401, "import_wh is 1401 on the chain and 1400 here"),
        ("attestation", "export_wh", 999, "export_wh is 999 on the chain and 1000 here"),
        ("minted", "wh", 1001, "wh is 1001 on the chain and 1000 here"),
        ("settlement", "line_count", 4, "line_count is 4 on the chain and 3 here"),
        ("settlement", "sold_wh", 901, "sold_wh is 901 on the chain and 900 here"),
        ("settlement", "bought_wh", 901, "bought_wh is 901 on the chain and 900 here"),
        ("settlement", "credit_micros", 1, "credit_micros is 1 on the chain and 3708000 here"),
        ("settlement", "debit_micros", 1, "debit_micros is 1 on the chain and 3825000 here"),
        ("settlement", "clearing_price_mills", 1, "clearing_price_mills is 1 on the chain and 4120 here"),
        ("settlement", "lines_root", b"x" * 32, f"lines_root is {'78' * 32} on the chain and {'6c' * 32} here"),
        ("settlement", "journal_hash", b"x" * 32, f"journal_hash is {'78' * 32} on the chain and {'6a' * 32} here"),
    ],
)
async def test_another_content_is_a_conflict(chain: Accounts, account: str, field: str, theirs: Any, says: str) -> None:
    chain.attestation, chain.minted, chain.settlement = attestation(), minted(), settlement()
    kinds = {"attestation": ["attest"], "minted": ["mint"], "settlement": ["open", "settle", "close"]}[account]
    for kind in kinds:
        assert await chain.done(kind, end_line=3)
    setattr(getattr(chain, account), field, theirs)
    for kind in kinds:
        with pytest.raises(ConflictError) as conflict:
            await chain.done(kind, end_line=3)
        assert str(conflict.value).startswith(f"The chain's {kind} of interval {START_S} is not ours ({says}): ")
    assert conflict.value.code == "settlement_conflict"


async def test_what_was_attested_after_seven_days_is_minted_as_nothing(chain: Accounts) -> None:
    chain.attestation, chain.minted = attestation(attested_at_s=END_S + MINTABLE_S), minted(wh=0)
    with pytest.raises(ConflictError, match="wh is 0 on the chain and 1000 here"):
        await chain.done("mint")
    chain.attestation.attested_at_s += 1
    assert await chain.done("mint")
    chain.minted.wh = 1000
    with pytest.raises(ConflictError, match="wh is 1000 on the chain and 0 here"):
        await chain.done("mint")


async def test_lines_are_settled_up_to_the_cursor(chain: Accounts) -> None:
    chain.settlement = settlement(status=OPEN, cursor=2)
    assert await chain.done("open")
    assert [await chain.done("settle", end_line=end_line) for end_line in (1, 2, 3)] == [True, True, False]
    assert not await chain.done("close")
    chain.settlement = settlement(status=CLOSED, cursor=0)
    assert await chain.done("settle", end_line=3)


async def test_a_close_is_done_with_or_without_lines(chain: Accounts) -> None:
    chain.settlement = settlement()
    assert await chain.done("close")
    chain.settlement = empty()
    assert await chain.done("close", rows(**NO_LINES))
    chain.settlement = empty(status=OPEN)
    assert not await chain.done("close", rows(**NO_LINES))


async def test_a_stranger_may_close_it_without_lines_when_it_is_too_late(chain: Accounts) -> None:
    late_s = END_S + onchain.OPEN_WINDOW_S + 1
    for kind in ("open", "settle", "close"):
        chain.settlement = empty(closed_at_s=late_s)
        with pytest.raises(TooLateError) as late:
            await chain.done(kind, end_line=3)
        assert late.value.code == "too_late"
        chain.settlement = empty(closed_at_s=late_s - 1)
        with pytest.raises(ConflictError):
            await chain.done(kind, end_line=3)
    chain.settlement = empty(closed_at_s=late_s)
    assert await chain.done("close", rows(**NO_LINES))
    chain.settlement = settlement(closed_at_s=late_s)
    assert await chain.done("close")


@pytest.mark.parametrize("status", [RETURNING, ABORTED])
async def test_an_aborted_settlement_ends_every_step(chain: Accounts, status: int) -> None:
    chain.settlement = settlement(status=status)
    for kind in ("open", "settle", "close"):
        with pytest.raises(AbortedError) as aborted:
            await chain.done(kind, end_line=1)
        assert aborted.value.settlement is chain.settlement
        assert aborted.value.code == "settlement_aborted"
        assert str(aborted.value) == "The settlement of interval 2026-06-01T10:00:00Z was aborted before its close"


async def test_an_aborted_settlement_counts_as_closed_when_it_is_returned_and_released(chain: Accounts) -> None:
    chain.settlement = settlement(status=ABORTED)
    assert await chain.done("close", rows(**NO_LINES))
    chain.settlement = settlement(status=RETURNING)
    with pytest.raises(AbortedError):
        await chain.done("close", rows(**NO_LINES))


# Times ---------------------------------------------------------------------------------------------------------------


def test_it_is_too_late_to_open_a_minute_before_the_window_ends() -> None:
    """By the chain's clock, which may be a minute ahead, it is over then."""
    last_s = END_S + onchain.OPEN_WINDOW_S - onchain.CLOCKS_APART_S
    assert onchain.CLOCKS_APART_S == 60
    assert not onchain.is_too_late_to_open(rows(), ManualClock(last_s * 1000 + 999))
    assert onchain.is_too_late_to_open(rows(), ManualClock((last_s + 1) * 1000))


async def test_a_refused_settlement_is_aborted_after_a_day(chain: Accounts) -> None:
    chain.settlement = settlement(status=OPEN)
    day_s = END_S + onchain.ABORT_AFTER_S

    async def due(refusal: str = "RootMismatch", now_s: int = day_s, of: IntervalRows | None = None) -> bool:
        async with ChainClient(NO_CHAIN) as client:
            return await abort.is_due(client, of or rows(), refusal, ManualClock(now_s * 1000))

    assert await due()
    assert not await due(now_s=day_s - 1)
    for transient in ("AlreadySettled", "NotOpen", "CreditOpen", "TooManyCrediting"):
        assert not await due(transient)
    assert not await due(of=rows(sold_wh=901)), "it is not this hub's settlement"
    for status in (CLOSED, ABORTED, EMPTY, RETURNING):
        chain.settlement = settlement(status=status)
        assert not await due()
    chain.settlement = None
    assert not await due()


def test_only_the_settler_can_have_aborted_before_a_day_has_passed() -> None:
    assert aborted_by_settler(END_S + onchain.ABORT_AFTER_S - 1, END_S)
    assert not aborted_by_settler(END_S + onchain.ABORT_AFTER_S, END_S)


@pytest.mark.parametrize(
    ("closed_after_s", "now_after_s", "alarms"),
    [
        (24 * HOUR_S - 1, 99 * HOUR_S, 1),
        (24 * HOUR_S, 0, 0),
        (None, 24 * HOUR_S - 61, 1),
        (None, 24 * HOUR_S - 60, 0),
    ],
    ids=["returned early", "returned late", "seen early", "seen late"],
)
def test_an_early_abort_needs_a_person(
    capsys: pytest.CaptureFixture[str], closed_after_s: int | None, now_after_s: int, alarms: int
) -> None:
    closed_s = 0 if closed_after_s is None else END_S + closed_after_s
    clock = ManualClock((END_S + now_after_s) * 1000)
    abort.alarm_if_by_settler(settlement(status=ABORTED, closed_at_s=closed_s, cursor=2), rows(), clock)
    output = "".join(capsys.readouterr())
    assert output.count("aborted_by_settler") == output.count("its 2 settled lines") == alarms


def test_what_happened_to_an_aborted_settlement_is_said() -> None:
    assert describe_aborted(settlement(closed_at_s=0)) == (
        "its settlement was aborted, and its 3 settled lines go back"
    )
    assert describe_aborted(settlement(closed_at_s=END_S)) == (
        "its settlement was aborted, its 3 settled lines had gone back at 2026-06-01T10:15:00Z, and its trades are "
        "utility energy"
    )


# Returning -----------------------------------------------------------------------------------------------------------


async def test_more_settled_lines_than_the_hub_has_are_a_conflict(chain: Accounts) -> None:
    chain.settlement = settlement(status=RETURNING, cursor=1)
    async with ChainClient(NO_CHAIN) as client:
        with pytest.raises(ConflictError, match="the lines that the chain has settled are not ours"):
            await abort.abort_and_return(client, Keypair(), rows(), 0)
        chain.settlement = settlement(status=ABORTED, cursor=1)
        await abort.abort_and_return(client, Keypair(), rows(), 0)


@pytest.mark.parametrize("left", [settlement(status=RETURNING, cursor=0), None])
async def test_what_is_not_returned_yet_is_tried_again(
    chain: Accounts, monkeypatch: pytest.MonkeyPatch, left: Any
) -> None:
    returned = []

    async def unwind(*arguments: Any, price_micro_lamports: int) -> None:
        returned.append((*arguments[3:], price_micro_lamports))

    monkeypatch.setattr(abort, "unwind", unwind)
    chain.settlement = left
    async with ChainClient(NO_CHAIN) as client:
        with pytest.raises(abort.ReturnRefusedError, match="is not returned yet") as refused:
            await abort.abort_and_return(client, Keypair(), replace(rows(), lines=[]), 7)
    assert refused.value.code == "return_refused"
    assert returned == [(START_S, [], [], 7)]
