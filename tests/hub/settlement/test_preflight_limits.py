"""The limits of the checks before a worker sends anything, to the second, the lamport and the byte."""

import struct
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest
from solana.rpc.commitment import Finalized
from solana.rpc.types import DataSliceOpts
from solders.hash import Hash
from solders.keypair import Keypair

from hub.chain.accounts import fixed_size
from hub.chain.client import ChainClient
from hub.chain.deployment import FeePayerEmptyError
from hub.chain.key_check import WrongKeyError
from hub.clock import ManualClock
from hub.errors import RetryableError
from hub.settlement import preflight
from hub.settlement.keys import SettlementKeys
from hub.settlement.preflight import (
    ClockBehindError,
    Preflight,
    check_clock,
    check_funds,
    check_keys,
    max_fee_lamports,
    new_account_bytes,
)
from hub.settlement.steps.repository import StepRow
from support.servers.nodes import NO_CHAIN

NOW_S = 1_780_308_000
SETTLEMENT_BYTES = fixed_size("trading", "IntervalSettlement")


def step(kind: str, state: str = "planned") -> StepRow:
    return StepRow(NOW_S, kind, 0, None, None, state, None, None)


class Chain:
    """A chain at this time, with these first accounts, on which the fee payer has so many lamports."""

    url = NO_CHAIN

    def __init__(self, time_s: int | None = NOW_S, lamports: int = 0, **accounts: Any) -> None:
        self._time_s, self._lamports, self._accounts = time_s, lamports, accounts
        self.rpc = SimpleNamespace(get_slot=lambda _: 7)

    @property
    def client(self) -> ChainClient:
        return cast("ChainClient", self)

    async def call(self, answer: Any) -> Any:
        return SimpleNamespace(value=answer)

    async def block_time_s(self, slot: int) -> int | None:
        assert slot == 7
        return self._time_s

    async def lamports(self, _: object) -> int:
        return self._lamports

    async def rent(self, size: int) -> int:
        return 1_000_000 * size

    async def account(self, _: str, kind: str, *__: object, commitment: object) -> Any:
        assert commitment == Finalized
        return self._accounts.get(kind)


@pytest.mark.parametrize(("chain_s", "behind"), [(NOW_S + 30, 0), (NOW_S + 31, 31), (NOW_S - 99, 0), (None, 0)])
async def test_the_clock_may_be_half_a_minute_behind(chain_s: int | None, behind: int) -> None:
    chain, clock = Chain(chain_s).client, ManualClock(NOW_S * 1000 + 999)
    if behind:
        with pytest.raises(ClockBehindError, match=f"clock is {behind} s behind") as refused:
            await check_clock(chain, clock)
        assert refused.value.code == "clock_behind"
    else:
        await check_clock(chain, clock)


def test_a_step_costs_its_signatures_and_the_priority_fee() -> None:
    """5,000 lamports a signature; the fee is rounded up, for as many compute units as a transaction may use."""
    assert [max_fee_lamports(step(kind), 3, 0) for kind in ("attest", "mint", "open", "settle", "close")] == [
        20_000, 10_000, 10_000, 10_000, 10_000,
    ]  # fmt: skip
    assert [max_fee_lamports(step("close"), 1, price) for price in (1, 2, 1_000)] == [10_002, 10_003, 11_400]


def test_planned_steps_create_accounts() -> None:
    kinds = ["attest", "mint", "open", "settle", "close"]
    interval, minted = fixed_size("oracle", "Interval"), fixed_size("energy_token", "MintedInterval")
    assert new_account_bytes(kinds, kinds, 0) == [interval, minted, SETTLEMENT_BYTES]
    assert [new_account_bytes(kinds, ["open"], accounts)[0] - SETTLEMENT_BYTES for accounts in (1, 8, 9, 16, 17)] == [
        1, 1, 2, 2, 3,
    ]  # fmt: skip
    assert new_account_bytes(kinds, ["settle", "close"], 9) == []
    assert new_account_bytes(["attest", "mint", "close"], ["close"], 9) == [SETTLEMENT_BYTES]


async def test_the_fee_payer_has_what_the_planned_steps_cost() -> None:
    keys = SettlementKeys(Keypair(), (Keypair(),), Keypair())
    steps = [step("attest", "finalized"), step("mint"), step("open"), step("settle"), step("close")]
    need = 4 * 10_014 + 1_000_000 * (fixed_size("energy_token", "MintedInterval") + SETTLEMENT_BYTES + 2)
    await check_funds(Chain(lamports=need).client, keys, steps, 9, 10)
    with pytest.raises(FeePayerEmptyError, match=f"the next interval's settlement needs up to {need}"):
        await check_funds(Chain(lamports=need - 1).client, keys, steps, 9, 10)
    for nothing in ([], [step("attest", "submitted"), step("close", "finalized")]):
        await check_funds(Chain(lamports=0).client, keys, nothing, 9, 10)


async def test_the_keys_are_those_of_the_chain() -> None:
    keys = SettlementKeys(Keypair(), (Keypair(), Keypair()), Keypair())
    known = [key.pubkey() for key in keys.attestors]
    market = SimpleNamespace(settler=keys.settler.pubkey(), account_count=5)
    oracle = SimpleNamespace(attestors=[Keypair().pubkey(), *known])
    assert await check_keys(Chain(Market=market, Config=oracle).client, keys) == 5
    oracle.attestors = known[:1]
    with pytest.raises(WrongKeyError, match=f"attestor.json holds {known[1]}, and the attestors on .* are {known[0]}"):
        await check_keys(Chain(Market=market, Config=oracle).client, keys)
    for begun in (Chain(Market=market), Chain(Config=oracle), Chain()):
        with pytest.raises(RetryableError, match="run `peerwatt-hub chain deploy"):
            await check_keys(begun.client, keys)
    market.settler = Keypair().pubkey()
    with pytest.raises(WrongKeyError, match=f"settler.json holds {keys.settler.pubkey()}, and the settler"):
        await check_keys(Chain(Market=market, Config=oracle).client, keys)


def test_another_chain_is_named_with_what_to_set() -> None:
    ours, theirs = Hash(b"o" * 32), Hash(b"t" * 32)
    text = preflight._other_chain("http://node", theirs, ours, known=True)
    assert text.startswith(
        f"http://node serves the chain with genesis {theirs}, and this hub's intervals settle on {ours}: "
    )
    text = preflight._other_chain("http://node", theirs, ours, known=False)
    assert f"and the first node serves {ours}: " in text


async def test_programs_are_compared_again_only_after_an_upgrade(monkeypatch: pytest.MonkeyPatch) -> None:
    """And each time while one is missing."""
    compared = 0

    async def compare(_: object) -> None:
        nonlocal compared
        compared += 1

    def header(slot: int) -> Any:
        return SimpleNamespace(data=struct.pack("<IQB", 3, slot, 0) + bytes(32))

    deployed: list[Any] = []

    def headers(addresses: Sequence[object], *, data_slice: DataSliceOpts) -> list[Any]:
        assert (len(addresses), data_slice.length) == (5, 45)
        return deployed

    monkeypatch.setattr(preflight, "check_programs", compare)
    chain, checks = Chain(), Preflight()
    chain.rpc.get_multiple_accounts = headers
    times = []
    for now in ([header(7)] * 5, [header(7)] * 5, [*[header(7)] * 4, header(8)], [header(8)] * 4 + [None]):
        deployed[:] = now
        for _ in range(2):
            await checks._check_programs(chain.client)
        times.append(compared)
    assert times == [1, 1, 2, 4]
