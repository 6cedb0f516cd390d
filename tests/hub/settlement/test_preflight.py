"""What a worker looks at before it sends anything: each fault is named with what to do, and nothing is sent."""

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr
from solders.keypair import Keypair
from solders.system_program import TransferParams, transfer

from hub import worker
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
from hub.postgres.db import Pool
from hub.settings import Settings
from hub.settlement.preflight import ClockBehindError, OtherChainError, same_chain
from hub.worker import Round, Workplace
from support.ledger import LedgerProcess, running_ledger
from support.settling import ENERGY, SettlingCampus
from support.site_rows import lead

KEY_FILES = ("fee_payer", "attestor", "settler")


@pytest.fixture
def keys(tmp_path: Path) -> Bootstrap:
    return Bootstrap.load_or_create(tmp_path / "keys")


@pytest.fixture
def ledger(tmp_path: Path, keys: Bootstrap) -> Iterator[LedgerProcess]:
    with running_ledger(tmp_path / "ledger", keys) as ledger:
        yield ledger


@pytest.fixture
def other_ledger(tmp_path: Path, keys: Bootstrap) -> Iterator[LedgerProcess]:
    with running_ledger(tmp_path / "other", keys) as ledger:
        yield ledger


@pytest.fixture
async def campus(pool: Pool, ledger: LedgerProcess, keys: Bootstrap) -> AsyncIterator[SettlingCampus]:
    async with ChainClient(ledger.url) as chain:
        yield await SettlingCampus.found(pool, chain, keys, len(ENERGY))


@pytest.fixture
async def place(campus: SettlingCampus, tmp_path: Path) -> Workplace:
    """A worker's place with an interval that waits to be settled."""
    await campus.interval(ENERGY)
    settings = Settings(state_dir=tmp_path, database_url=SecretStr("postgresql://unused"), interval_s=30)
    return Workplace(settings, campus.pool, SystemClock(), campus.chain, "test")


async def _refused(place: Workplace, error: type[HubError], work: Round = worker._settlement_round) -> str:
    """One round that refuses to do anything; what it says."""
    before = await place.chain.ask(place.chain.rpc.get_transaction_count())
    with pytest.raises(error) as caught:
        await work(place, await lead(place.pool))
    assert (await place.chain.ask(place.chain.rpc.get_transaction_count())).value == before.value
    assert await place.pool.fetchval("SELECT count(*) FROM blockchain_transactions WHERE state <> 'finalized'") == 0
    return str(caught.value)


async def _settles(place: Workplace) -> None:
    await worker._settlement_round(place, await lead(place.pool))
    assert await place.pool.fetchval("SELECT count(*) FROM intervals WHERE state <> 'closed'") == 0


async def test_another_chain_is_refused_by_every_round(
    place: Workplace, campus: SettlingCampus, other_ledger: LedgerProcess
) -> None:
    await _settles(place)
    await campus.interval(ENERGY)
    first = await place.chain.genesis_hash()
    async with ChainClient(other_ledger.url) as other:
        moved = replace(place, chain=other)
        for work in (worker._settlement_round, worker._market_round, worker._reconcile_round):
            said = await _refused(moved, OtherChainError, work)
            assert f"settle on {first}" in said and "PEERWATT_HUB_RPC_URL" in said
    await _settles(place)


async def test_a_second_node_of_another_chain_is_refused(
    place: Workplace, campus: SettlingCampus, ledger: LedgerProcess, other_ledger: LedgerProcess
) -> None:
    """At the very first start as well, when the hub knows no chain yet."""
    async with ChainClient(ledger.url, other_ledger.url) as mixed:
        moved = replace(place, chain=mixed)
        said = await _refused(moved, OtherChainError)
        assert f"{other_ledger.url} serves" in said and "the first node serves" in said
        await _settles(place)
        await campus.interval(ENERGY)
        for work in (worker._settlement_round, worker._market_round, worker._reconcile_round):
            said = await _refused(moved, OtherChainError, work)
            assert f"{other_ledger.url} serves" in said and "PEERWATT_HUB_MORE_RPC_URLS" in said


async def test_a_second_node_that_is_away_holds_up_no_other(place: Workplace, ledger: LedgerProcess) -> None:
    """Nothing closes without it, and what can be sent is."""
    async with ChainClient(ledger.url, "http://127.0.0.1:1") as half:
        await worker._market_round(replace(place, chain=half), await lead(place.pool))
        assert not await same_chain(place.pool, half)
    async with ChainClient("http://127.0.0.1:1", "http://127.0.0.1:2") as away:
        with pytest.raises(ChainUnreachableError):
            await same_chain(place.pool, away)


async def test_a_chain_becomes_the_hubs_only_when_it_is_founded(
    place: Workplace, other_ledger: LedgerProcess, tmp_path: Path
) -> None:
    """A wrong URL at the first start must not be funds_cache as the right one."""
    async with ChainClient(other_ledger.url) as other:
        said = await _refused(replace(place, chain=other), RetryableError)
    assert f"run `peerwatt-hub chain deploy --url {other_ledger.url}`" in said
    await _settles(place)
    known = await place.pool.fetchval("SELECT genesis_hash FROM known_chain")
    assert known == bytes(await place.chain.genesis_hash())


async def test_a_chain_without_the_programs_is_refused(place: Workplace, other_ledger: LedgerProcess) -> None:
    other_ledger.kill()
    (other_ledger.folder / "ledger.sqlite").unlink()
    write_genesis(other_ledger.folder, Genesis(Keypair().pubkey(), programs=False))
    other_ledger.start()
    async with ChainClient(other_ledger.url) as other:
        said = await _refused(replace(place, chain=other), ProgramsDifferError)
    assert f"`peerwatt-hub chain deploy --url {other_ledger.url}`" in said


@pytest.mark.parametrize(("file", "says"), [("settler", "the settler on"), ("attestor", "the attestors on")])
async def test_a_good_key_that_the_chain_does_not_know(place: Workplace, file: str, says: str) -> None:
    path = place.settings.keys_dir / f"{file}.json"
    ours = path.read_text()
    path.write_text(json.dumps(list(bytes(Keypair()))))
    said = await _refused(place, WrongKeyError)
    assert says in said and f"{file}.json holds" in said
    path.write_text(ours)
    await _settles(place)


async def test_a_file_that_is_no_key(place: Workplace) -> None:
    (place.settings.keys_dir / "settler.json").write_text("{}")
    assert "settler.json is no key" in await _refused(place, KeyFileError)


async def test_a_clock_behind_the_chains(place: Workplace) -> None:
    behind = ManualClock(SystemClock().now_ms() - 90_000)
    said = await _refused(replace(place, clock=behind), ClockBehindError)
    assert "behind the chain's" in said and "timedatectl" in said
    await _settles(place)


async def test_an_empty_fee_payer(place: Workplace, keys: Bootstrap) -> None:
    """What is asked for is enough for the interval, and not much more than it takes."""
    payer, chain, safe = keys.fee_payer, place.chain, Keypair()
    everything = await chain.lamports(payer.pubkey())
    await _pay(chain, payer, safe, everything - 3_000_000 - 5_000)
    said = await _refused(place, FeePayerEmptyError)
    assert f"The fee payer {payer.pubkey()} has 3000000 lamports" in said and "SOL. Nothing was sent" in said
    need = int(said.split("needs up to ")[1].split(":")[0])
    await _pay(chain, safe, payer, need - 3_000_000)
    await _settles(place)
    left = await chain.lamports(payer.pubkey())
    assert 0 <= left < need * 3 // 100


async def _pay(chain: ChainClient, giver: Keypair, taker: Keypair, lamports: int) -> None:
    gift = TransferParams(from_pubkey=giver.pubkey(), to_pubkey=taker.pubkey(), lamports=lamports)
    await chain.run([transfer(gift)], [giver])
