"""The checks before a worker sends anything: each fault is named with what to do, and nothing is sent."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from solders.keypair import Keypair
from solders.system_program import TransferParams, transfer

from hub.chain.bootstrap import Bootstrap
from hub.chain.client import ChainClient
from hub.chain.deployment import FeePayerEmptyError
from hub.chain.errors import ChainUnreachableError
from hub.chain.key_check import WrongKeyError
from hub.chain.setup import ProgramsDifferError
from hub.clock import ManualClock, SystemClock
from hub.errors import HubError, RetryableError
from hub.keys import KeyFileError
from hub.ledger.genesis import Genesis, write_genesis
from hub.postgres.rounds import Round
from hub.settlement.preflight import ClockBehindError, OtherChainError, check_genesis
from support.servers.ledger import LedgerProcess, running_ledger
from support.servers.nodes import NO_CHAIN
from support.settlement.campus import ENERGY, SettlingCampus
from support.settlement.rounds import Rounds

KEY_FILES = ("fee_payer", "attestor", "settler")


@pytest.fixture
def other_ledger(tmp_path: Path, keys: Bootstrap) -> Iterator[LedgerProcess]:
    with running_ledger(tmp_path / "other", keys) as ledger:
        yield ledger


@pytest.fixture
async def rounds(lone_campus: SettlingCampus, tmp_path: Path) -> Rounds:
    """A worker's rounds, with a planned interval."""
    await lone_campus.interval(ENERGY)
    return Rounds.of(lone_campus.pool, lone_campus.chain, tmp_path)


async def _check_refused(rounds: Rounds, error: type[HubError], a_round: Round | None = None) -> str:
    """Runs a round, by default the settlement's, that must fail and send nothing; returns the error's message."""
    before = await rounds.chain.call(rounds.chain.rpc.get_transaction_count())
    with pytest.raises(error) as caught:
        await rounds.run(a_round or rounds.settlement)
    assert (await rounds.chain.call(rounds.chain.rpc.get_transaction_count())).value == before.value
    assert await rounds.pool.fetchval("SELECT count(*) FROM blockchain_transactions WHERE state <> 'finalized'") == 0
    return str(caught.value)


async def _check_settles(rounds: Rounds) -> None:
    await rounds.run(rounds.settlement)
    assert await rounds.pool.fetchval("SELECT count(*) FROM intervals WHERE state <> 'closed'") == 0


async def test_another_chain_is_refused_by_every_round(
    rounds: Rounds, lone_campus: SettlingCampus, other_ledger: LedgerProcess
) -> None:
    await _check_settles(rounds)
    await lone_campus.interval(ENERGY)
    first = await rounds.chain.genesis_hash()
    async with ChainClient(other_ledger.url) as other:
        on_other = rounds.on(other)
        for a_round in on_other.all:
            message = await _check_refused(on_other, OtherChainError, a_round)
            assert f"settle on {first}" in message and "PEERWATT_HUB_RPC_URL" in message
    await _check_settles(rounds)


async def test_a_second_node_of_another_chain_is_refused(
    rounds: Rounds, lone_campus: SettlingCampus, lone_ledger: LedgerProcess, other_ledger: LedgerProcess
) -> None:
    """It is refused at the first start too, when the hub has no chain yet."""
    async with ChainClient(lone_ledger.url, other_ledger.url) as mixed:
        on_mixed = rounds.on(mixed)
        message = await _check_refused(on_mixed, OtherChainError)
        assert f"{other_ledger.url} serves" in message and "the first node serves" in message
        await _check_settles(rounds)
        await lone_campus.interval(ENERGY)
        for a_round in on_mixed.all:
            message = await _check_refused(on_mixed, OtherChainError, a_round)
            assert f"{other_ledger.url} serves" in message and "PEERWATT_HUB_MORE_RPC_URLS" in message


async def test_a_second_node_that_is_away_holds_up_no_other(rounds: Rounds, lone_ledger: LedgerProcess) -> None:
    """Steps can be sent without it; nothing closes."""
    async with ChainClient(lone_ledger.url, NO_CHAIN) as half:
        await rounds.run(rounds.on(half).market)
        assert not await check_genesis(rounds.pool, half)
    async with ChainClient("http://127.0.0.1:1", "http://127.0.0.1:2") as away:
        with pytest.raises(ChainUnreachableError):
            await check_genesis(rounds.pool, away)


async def test_a_chain_becomes_the_hubs_only_when_it_is_founded(
    rounds: Rounds, other_ledger: LedgerProcess, tmp_path: Path
) -> None:
    """A wrong URL at the first start must not be remembered as the right one."""
    async with ChainClient(other_ledger.url) as other:
        message = await _check_refused(rounds.on(other), RetryableError)
    assert f"run `peerwatt-hub chain deploy --url {other_ledger.url}`" in message
    await _check_settles(rounds)
    known = await rounds.pool.fetchval("SELECT genesis_hash FROM known_chain")
    assert known == bytes(await rounds.chain.genesis_hash())


async def test_a_chain_without_the_programs_is_refused(rounds: Rounds, other_ledger: LedgerProcess) -> None:
    other_ledger.kill()
    (other_ledger.folder / "ledger.sqlite").unlink()
    write_genesis(other_ledger.folder, Genesis(Keypair().pubkey(), programs=False))
    other_ledger.start()
    async with ChainClient(other_ledger.url) as other:
        message = await _check_refused(rounds.on(other), ProgramsDifferError)
    assert f"`peerwatt-hub chain deploy --url {other_ledger.url}`" in message


@pytest.mark.parametrize(("file", "expected"), [("settler", "the settler on"), ("attestor", "the attestors on")])
async def test_a_good_key_that_the_chain_does_not_know(rounds: Rounds, file: str, expected: str) -> None:
    path = rounds.settlement.settings.keys_dir / f"{file}.json"
    good_key = path.read_text()
    path.write_text(json.dumps(list(bytes(Keypair()))))
    message = await _check_refused(rounds, WrongKeyError)
    assert expected in message and f"{file}.json holds" in message
    path.write_text(good_key)
    await _check_settles(rounds)


async def test_a_file_that_is_no_key(rounds: Rounds) -> None:
    (rounds.settlement.settings.keys_dir / "settler.json").write_text("{}")
    assert "settler.json is no key" in await _check_refused(rounds, KeyFileError)


async def test_a_clock_behind_the_chains(rounds: Rounds) -> None:
    behind = ManualClock(SystemClock().now_ms() - 90_000)
    message = await _check_refused(rounds, ClockBehindError, replace(rounds.settlement, clock=behind))
    assert "behind the chain's" in message and "timedatectl" in message
    await _check_settles(rounds)


async def test_an_empty_fee_payer(rounds: Rounds, keys: Bootstrap) -> None:
    """The amount that the message names is enough for the interval, and not much more than it costs."""
    payer, chain, other = keys.fee_payer, rounds.chain, Keypair()
    balance = await chain.lamports(payer.pubkey())
    await _pay(chain, payer, other, balance - 3_000_000 - 5_000)
    message = await _check_refused(rounds, FeePayerEmptyError)
    assert f"The fee payer {payer.pubkey()} has 3000000 lamports" in message and "SOL. Nothing was sent" in message
    need = int(message.split("needs up to ")[1].split(":")[0])
    await _pay(chain, other, payer, need - 3_000_000)
    await _check_settles(rounds)
    left = await chain.lamports(payer.pubkey())
    assert 0 <= left < need * 3 // 100


async def _pay(chain: ChainClient, payer: Keypair, to: Keypair, lamports: int) -> None:
    payment = TransferParams(from_pubkey=payer.pubkey(), to_pubkey=to.pubkey(), lamports=lamports)
    await chain.run([transfer(payment)], [payer])
