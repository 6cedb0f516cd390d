"""Funds while the chain does not answer: from accounts that were read lately, less what was settled since."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from hub.chain.errors import ChainUnreachableError
from hub.clock import ManualClock, at_ms
from hub.postgres.db import Pool
from hub.settlement.cached_funds import CLOCKS_DIFFER_MS, CachedFunds, FundsCache
from hub.settlement.onchain import OPEN_WINDOW_S
from support.rows.site_rows import wallet

START_S = 1_780_308_000
END_S = START_S + 900
READ_MS = END_S * 1000
A, B = UUID(int=1), UUID(int=2)
WALLETS = {A: wallet(A), B: wallet(B)}


def account(balance_micros: int, expiry_s: int = END_S) -> Any:
    """Returns a trading account with a mandate until then, and 40 micros spent today."""
    mandate = SimpleNamespace(
        valid_from_s=START_S, expiry_s=expiry_s, reserve_micros=500, max_price_mills=5000, min_price_mills=2200,
        max_wh=1000, max_debit_micros=400, max_day_debit_micros=900,
    )  # fmt: skip
    mandates = SimpleNamespace(ring=[mandate, None], count=1)
    days = [SimpleNamespace(epoch_day=START_S // 86_400 - 1, debit_micros=7),
            SimpleNamespace(epoch_day=START_S // 86_400, debit_micros=40)]  # fmt: skip
    return SimpleNamespace(balance_micros=balance_micros, mandates=mandates, day_debits=days)


class Chain:
    """Reads these accounts while it answers."""

    def __init__(self) -> None:
        self.accounts_by_person: dict[UUID, Any] = {A: account(900), B: account(300)}
        self.answers = True

    async def accounts(self, wallets: Mapping[UUID, str]) -> dict[UUID, Any]:
        if not self.answers:
            raise ChainUnreachableError("away")
        return {person: found for person, found in self.accounts_by_person.items() if person in wallets}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(READ_MS)


@pytest.fixture
def chain() -> Chain:
    return Chain()


@pytest.fixture
def funds(pool: Pool, chain: Chain, clock: ManualClock) -> CachedFunds:
    return CachedFunds(chain, FundsCache(), pool, clock)  # type: ignore[arg-type]


async def balances(funds: CachedFunds, people: Mapping[UUID, str] | None = None) -> dict[UUID, tuple[int, int]]:
    """Returns balance and what was spent today, in micros."""
    found = await funds.funds(WALLETS if people is None else people, START_S, END_S)
    return {person: (one.balance_micros, one.day_debit_micros) for person, one in found.items()}


async def closes(pool: Pool, start_s: int, closed_ms: int, debits: Mapping[UUID, int]) -> None:
    """Stores an interval that was closed at that time, with these debits."""
    at = at_ms(start_s * 1000)
    await pool.execute(
        "INSERT INTO intervals (start_at, end_at, state, attested_at, closed_at) VALUES ($1, $1, 'closed', $1, $2)",
        at, at_ms(closed_ms),
    )  # fmt: skip
    await pool.execute("ALTER TABLE settlement_lines DISABLE TRIGGER ALL")
    await pool.executemany(
        "INSERT INTO settlement_lines (start_at, line_index, participant_id, wallet, sold_wh, bought_wh, "
        "credit_micros, debit_micros) VALUES ($1, $2, $3, $4, 0, 1, 0, $5)",
        [(at, index, person, wallet(person), debit) for index, (person, debit) in enumerate(debits.items())],
    )


async def test_while_the_chain_answers_its_word_counts(funds: CachedFunds, chain: Chain, clock: ManualClock) -> None:
    assert await balances(funds) == {A: (900, 40), B: (300, 40)}
    chain.accounts_by_person[B] = account(300, END_S - 1)
    assert await balances(funds) == {A: (900, 40)}, "a mandate must last for the whole interval"
    assert {entry[1] for entry in funds.funds_cache.accounts.values()} == {clock.now_ms()}


async def test_then_the_last_accounts_count_for_as_long_as_an_interval_can_be_opened(
    funds: CachedFunds, chain: Chain, clock: ManualClock, capsys: pytest.CaptureFixture[str]
) -> None:
    await balances(funds)
    chain.answers = False
    clock.advance(OPEN_WINDOW_S * 1000)
    assert await balances(funds) == {A: (500, 40), B: (300, 40)}, "only the reserve is certain"
    assert "cleared with funds as last known" in "".join(capsys.readouterr())
    assert await balances(funds, {A: wallet(A)}) == {A: (500, 40)}
    clock.advance(1)
    with pytest.raises(ChainUnreachableError):
        await balances(funds)


async def test_nobody_is_known_after_a_restart(funds: CachedFunds, chain: Chain) -> None:
    chain.answers = False
    with pytest.raises(ChainUnreachableError):
        await balances(funds)


async def test_what_was_settled_since_is_gone(funds: CachedFunds, chain: Chain, clock: ManualClock, pool: Pool) -> None:
    """A copy whose clock is a minute behind may have closed an interval after the accounts were read."""
    await balances(funds, {A: wallet(A)})
    clock.advance(1_000)
    await balances(funds, {B: wallet(B)})
    chain.answers = False
    assert CLOCKS_DIFFER_MS == 60_000
    since_ms = READ_MS - CLOCKS_DIFFER_MS
    await closes(pool, START_S, since_ms, {A: 20, B: 30})
    await closes(pool, START_S - 900, since_ms - 1, {A: 100, B: 100})
    assert await balances(funds) == {A: (480, 60), B: (270, 70)}
