"""An interval through the real programs with the client alone: deposit, mandate, attest, mint, open, settle, close.

On the embedded ledger, and on the node that PEERWATT_TEST_RPC_URL names as well (support/servers/nodes.py).
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from uuid import UUID

import pytest
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.signature import Signature

from edge.wire import merkle
from hub.chain import pdas, setup
from hub.chain.bootstrap import Bootstrap
from hub.chain.client import ChainClient
from hub.chain.errors import ProgramError
from hub.chain.instructions import energy_token, oracle, token, trading
from hub.chain.instructions.idl_builder import TOKEN_PROGRAM
from hub.chain.unwind import unwind
from hub.settlement.lines import Line, line_leaf
from hub.units import Micros, Wh
from support.servers.nodes import SettlingNode, open_settling_node, settling_names
from support.settlement.campus import INTERVAL_S, RATES, trader_of
from support.waiting import PATIENCE_S

FUNDS, DEPOSIT, RESERVE = 50_000_000, 20_000_000, 5_000_000
BUYER, SELLER = Keypair(), Keypair()
# 600 Wh at 3,000 mills, and the buyer's charges of 130 mills
BOUGHT_WH, PRICE_MILLS = 600, 3000
CREDIT = BOUGHT_WH * PRICE_MILLS
CHARGES = {"wheeling": BOUGHT_WH * 100, "platform": BOUGHT_WH * 25, "loss": BOUGHT_WH * 5}
DEBIT = CREDIT + sum(CHARGES.values())


@pytest.fixture(scope="module", params=settling_names())
def market(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SettlingNode]:
    with open_settling_node(request.param, tmp_path_factory.mktemp("market")) as opened:
        yield opened


@pytest.fixture(scope="module")
def keys(market: SettlingNode) -> Bootstrap:
    return market.keys


@pytest.fixture
async def chain(market: SettlingNode, keys: Bootstrap) -> AsyncIterator[ChainClient]:
    async with ChainClient(market.url) as client:
        await setup.ensure_genesis(client, keys, rates=RATES, interval_s=INTERVAL_S)
        await setup.ensure_traders(client, keys, [trader(BUYER), trader(SELLER)])
        yield client


def trader(wallet: Keypair) -> setup.Trader:
    ample = trader_of(wallet)
    mandate = replace(
        ample.mandate,
        max_wh=10_000,
        max_debit_micros=10_000_000,
        max_day_debit_micros=15_000_000,
        reserve_micros=RESERVE,
    )
    return replace(ample, funds_micros=FUNDS, deposit_micros=DEPOSIT, mandate=mandate)


async def attested_interval(chain: ChainClient, keys: Bootstrap) -> int:
    """Attests and mints an interval that begins after the mandates, once it is over; returns its start."""
    start = (int(time.time()) // INTERVAL_S + 1) * INTERVAL_S
    attestation = oracle.Attestation(start, bytes(32), 2, 0, 700, 600)
    instructions = [
        oracle.attest(keys.fee_payer.pubkey(), [keys.attestors[0].pubkey()], attestation),
        energy_token.mint_interval(keys.fee_payer.pubkey(), start),
    ]
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                await chain.run(instructions, [keys.fee_payer, *keys.attestors])
            except ProgramError as error:
                if error.name != "NotEnded":
                    raise
                await asyncio.sleep(0.2)
            else:
                return start


def lines() -> list[Line]:
    buyer = Line(UUID(int=1), bytes(BUYER.pubkey()), Wh(0), Wh(BOUGHT_WH), Micros(0), Micros(DEBIT))
    return [buyer, Line(UUID(int=2), bytes(SELLER.pubkey()), Wh(BOUGHT_WH), Wh(0), Micros(CREDIT), Micros(0))]


def commitment(start: int) -> trading.Commitment:
    root = merkle.root([line_leaf(start, index, line) for index, line in enumerate(lines())])
    return trading.Commitment(start, root, 2, BOUGHT_WH, BOUGHT_WH, CREDIT, DEBIT, PRICE_MILLS, bytes([7] * 32))


def chain_lines() -> list[trading.Line]:
    return [
        trading.Line(Pubkey(line.wallet), line.sold_wh, line.bought_wh, line.credit_micros, line.debit_micros)
        for line in lines()
    ]


async def balances(chain: ChainClient) -> tuple[int, int]:
    wallets = [pdas.account(BUYER.pubkey()), pdas.account(SELLER.pubkey())]
    buyer, seller = await chain.accounts("trading", "Account", wallets)
    assert buyer is not None
    assert seller is not None
    return buyer.balance_micros, seller.balance_micros


async def sums(chain: ChainClient) -> dict[str, int]:
    """Returns the balances of the vaults and the pool, and the minted energy, over everybody on this chain."""
    vaults = {name: await chain.token_balance(pdas.vault(name)) for name in CHARGES}
    pool, minted = await chain.token_balance(pdas.currency_pool()), await chain.token_supply(pdas.energy_mint())
    return {**vaults, "pool": pool, "minted": minted}


async def test_an_interval_is_settled(chain: ChainClient, keys: Bootstrap) -> None:
    settler, payer, before = keys.settler.pubkey(), keys.fee_payer.pubkey(), await balances(chain)
    sums_before = await sums(chain)
    start = await attested_interval(chain, keys)
    assert await chain.token_supply(pdas.energy_mint()) == sums_before["minted"] + 600
    await chain.run([trading.open_settlement(payer, settler, commitment(start))], [keys.fee_payer, keys.settler])
    settle = trading.settle(settler, start, 0, chain_lines())
    await chain.run([settle], [keys.fee_payer, keys.settler])
    with pytest.raises(ProgramError) as caught:
        await chain.run([settle], [keys.fee_payer, keys.settler])
    assert caught.value.name == "AlreadySettled"
    await chain.run([trading.close(settler, keys.mint, start)], [keys.fee_payer, keys.settler])
    settled = await chain.account("trading", "IntervalSettlement", pdas.settlement(start))
    assert (settled.status, settled.cursor, settled.escrow_micros) == (2, 2, 0)
    assert bytes(settled.lines_root) == commitment(start).lines_root
    after = await balances(chain)
    assert (after[0] - before[0], after[1] - before[1]) == (-DEBIT, CREDIT)
    sums_after = await sums(chain)
    changes = {name: sums_after[name] - earlier for name, earlier in sums_before.items()}
    assert changes == {**CHARGES, "pool": -sum(CHARGES.values()), "minted": 0}


@pytest.mark.parametrize("settled", [0, 1, 2])
async def test_a_settlement_is_aborted_and_returned(chain: ChainClient, keys: Bootstrap, settled: int) -> None:
    settler, payer, before = keys.settler.pubkey(), keys.fee_payer.pubkey(), await balances(chain)
    minted = await chain.token_supply(pdas.energy_mint())
    start = await attested_interval(chain, keys)
    leaves = [line_leaf(start, index, line) for index, line in enumerate(lines())]
    signers = (keys.fee_payer, keys.settler)
    assert not await unwind(chain, *signers, start, chain_lines(), leaves)
    await chain.run([trading.open_settlement(payer, settler, commitment(start))], signers)
    if settled:
        await chain.run([trading.settle(settler, start, 0, chain_lines()[:settled])], signers)
    assert await unwind(chain, *signers, start, chain_lines(), leaves)
    assert await balances(chain) == before
    settlement = await chain.account("trading", "IntervalSettlement", pdas.settlement(start))
    assert (settlement.status, settlement.returned_count, settlement.escrow_micros) == (3, settled, 0)
    assert await chain.token_supply(pdas.energy_mint()) == minted
    assert not await unwind(chain, *signers, start, chain_lines(), leaves)


async def test_a_return_goes_on_where_another_has_stopped(chain: ChainClient, keys: Bootstrap) -> None:
    settler, payer, before = keys.settler.pubkey(), keys.fee_payer.pubkey(), await balances(chain)
    start = await attested_interval(chain, keys)
    leaves = [line_leaf(start, index, line) for index, line in enumerate(lines())]
    signers = (keys.fee_payer, keys.settler)
    for made in (
        trading.open_settlement(payer, settler, commitment(start)),
        trading.settle(settler, start, 0, chain_lines()),
        trading.abort(settler, start),
    ):
        await chain.run([made], signers)
    await chain.run([trading.return_lines(start, 1, chain_lines()[1:], leaves[:1])], signers[:1])
    assert await unwind(chain, *signers, start, chain_lines(), leaves)
    assert await balances(chain) == before


async def test_an_interval_without_trades_is_closed(chain: ChainClient, keys: Bootstrap) -> None:
    start = await attested_interval(chain, keys)
    closing = trading.close_empty(keys.fee_payer.pubkey(), keys.settler.pubkey(), start)
    await chain.run([closing], [keys.fee_payer, keys.settler])
    settled = await chain.account("trading", "IntervalSettlement", pdas.settlement(start))
    assert (settled.status, settled.line_count) == (4, 0)
    assert (await chain.account("energy_token", "MintedInterval", pdas.minted_interval(start))).burned


async def test_what_is_free_can_be_withdrawn(chain: ChainClient, keys: Bootstrap) -> None:
    balance, _ = await balances(chain)
    wallet = BUYER.pubkey()
    all_of_it = trading.withdraw(wallet, keys.mint, balance)
    with pytest.raises(ProgramError) as caught:
        await chain.run([all_of_it], [keys.fee_payer, BUYER])
    assert caught.value.name == "ReserveLocked"
    token_balance = await chain.token_balance(token.token_account(wallet, keys.mint))
    await chain.run([trading.withdraw(wallet, keys.mint, balance - RESERVE)], [keys.fee_payer, BUYER])
    assert await chain.token_balance(token.token_account(wallet, keys.mint)) == token_balance + balance - RESERVE
    again = await chain.prepare([trading.deposit(wallet, keys.mint, balance - RESERVE)], [keys.fee_payer, BUYER])
    await chain.send(again)
    await chain.wait(again)
    await inner_transfer_is_recorded(chain, again.signature)


async def inner_transfer_is_recorded(chain: ChainClient, signature: Signature) -> None:
    confirmed = (await chain.rpc.get_transaction(signature, max_supported_transaction_version=0)).value
    assert confirmed is not None
    assert confirmed.transaction.meta is not None
    ((inner,),) = [group.instructions for group in confirmed.transaction.meta.inner_instructions or []]
    message = confirmed.transaction.transaction.message  # type: ignore[union-attr]
    assert message.account_keys[inner.program_id_index] == TOKEN_PROGRAM  # type: ignore[union-attr]


async def test_traders_begin_once(chain: ChainClient, keys: Bootstrap) -> None:
    assert await setup.ensure_traders(chain, keys, [trader(BUYER), trader(SELLER)]) == 0
    account = await chain.account("trading", "Account", pdas.account(SELLER.pubkey()))
    assert (account.wallet, account.nonce) == (SELLER.pubkey(), 1)
    assert account.mandates.ring[0].max_price_mills == 5000
