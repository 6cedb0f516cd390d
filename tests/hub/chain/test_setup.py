"""The chain is set up step by step through the real programs; every step can run again."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from anchorpy.program.context import Context
from anchorpy.program.core import Program
from anchorpy.provider import Provider, Wallet
from solana.rpc.async_api import AsyncClient
from solana.rpc.commitment import Finalized
from solders.keypair import Keypair

from hub.chain import pdas, setup
from hub.chain.bootstrap import Bootstrap
from hub.chain.client import ChainClient
from hub.chain.errors import ProgramError, TransactionFailedError
from hub.chain.instructions import governance, loader, registry
from hub.chain.instructions.idl_builder import SYSTEM_PROGRAM
from hub.chain.programs import NAMES, PROGRAM_IDS, idl
from support.servers.ledger import LedgerProcess, running_ledger
from support.settlement.campus import RATES
from support.settlement.wallets import send_refused_registration


@pytest.fixture
async def chain(module_ledger: LedgerProcess) -> AsyncIterator[ChainClient]:
    async with ChainClient(module_ledger.url) as client:
        yield client


@pytest.fixture
async def unfounded(tmp_path: Path, keys: Bootstrap) -> AsyncIterator[ChainClient]:
    """A ledger with the programs and nothing founded."""
    with running_ledger(tmp_path, keys) as ledger:
        async with ChainClient(ledger.url) as client:
            yield client


@pytest.fixture
async def founded(chain: ChainClient, keys: Bootstrap) -> ChainClient:
    await setup.ensure_genesis(chain, keys, rates=RATES, interval_s=900)
    return chain


async def test_founding_runs_once(founded: ChainClient, keys: Bootstrap) -> None:
    assert await setup.ensure_genesis(founded, keys, rates=RATES, interval_s=900) == []
    authority = await founded.account("governance", "Authority", pdas.governance_authority())
    assert authority.members == [member.pubkey() for member in keys.members]
    params = await founded.account("governance", "Params", pdas.governance_params())
    assert params.rate_sets[0].import_tariff_mills == 5000
    oracle = await founded.account("oracle", "Config", pdas.oracle_config())
    assert (oracle.attestors, oracle.interval_s) == ([keys.attestors[0].pubkey()], 900)


async def test_each_step_says_whether_there_was_anything_to_do(unfounded: ChainClient, keys: Bootstrap) -> None:
    assert [await setup.ensure_currency(unfounded, keys) for _ in range(2)] == [True, False]


async def test_people_gateways_and_meters_are_registered_once(founded: ChainClient, keys: Bootstrap) -> None:
    wallets = [Keypair() for _ in range(3)]
    assert await setup.ensure_participants(founded, keys, wallets) == 3
    assert await setup.ensure_participants(founded, keys, [*wallets, Keypair()]) == 1
    assert await setup.ensure_gateways(founded, keys, ["gw-a", "gw-b"]) == 2
    key = Keypair().pubkey()
    now = int(time.time())
    assert await setup.ensure_gateway_key(founded, keys, "gw-a", key, now)
    assert not await setup.ensure_gateway_key(founded, keys, "gw-a", key, now)
    meters = [
        setup.MeterEntry(f"METER_{n:03}", wallet.pubkey(), "gw-a", "bidirectional", 10_000, f"serial {n}")
        for n, wallet in enumerate(wallets)
    ]
    assert await setup.ensure_meters(founded, keys, meters) == 3
    assert await setup.ensure_meters(founded, keys, meters) == 0
    meter = await founded.account("registry", "Meter", pdas.meter("METER_002"))
    assert (meter.owner, meter.gateway, meter.kind) == (wallets[2].pubkey(), pdas.gateway("gw-a"), 3)
    assert {address for address, _ in await founded.all_accounts("registry", "Meter")} == {
        pdas.meter(meter.meter_id) for meter in meters
    }


async def test_anchorpy_alone_reads_the_accounts(founded: ChainClient, keys: Bootstrap) -> None:
    async with AsyncClient(founded.url) as rpc:
        program = Program(idl("governance"), PROGRAM_IDS["governance"], Provider(rpc, Wallet(keys.fee_payer)))
        authority = await program.account["Authority"].fetch(pdas.governance_authority())
        assert authority.threshold == 2
        assert [keyed.account for keyed in await program.account["Authority"].all()] == [authority]


async def test_anchorpy_alone_sends_a_transaction(founded: ChainClient, keys: Bootstrap) -> None:
    async with AsyncClient(founded.url) as rpc:
        program = Program(idl("registry"), PROGRAM_IDS["registry"], Provider(rpc, Wallet(keys.fee_payer)))
        accounts = {
            "payer": keys.fee_payer.pubkey(),
            "registrar": keys.registrar.pubkey(),
            "config": pdas.registry_config(),
            "gateway": pdas.gateway("gw-anchorpy"),
            "system_program": SYSTEM_PROGRAM,
        }
        context = Context(accounts=accounts, signers=[keys.registrar])
        signature = await program.rpc["register_gateway"]("gw-anchorpy", ctx=context)
        await rpc.confirm_transaction(signature, Finalized)
    assert (await founded.account("registry", "Gateway", pdas.gateway("gw-anchorpy"))).id == "gw-anchorpy"


async def test_a_programs_refusal_has_its_name(founded: ChainClient, keys: Bootstrap) -> None:
    stranger, wallet = Keypair(), Keypair()
    payer = keys.fee_payer.pubkey()
    instruction = registry.register_participant(payer, stranger.pubkey(), wallet.pubkey())
    with pytest.raises(ProgramError) as caught:
        await founded.run([instruction], [keys.fee_payer, stranger, wallet])
    assert (caught.value.program, caught.value.name, caught.value.number) == ("registry", "NotRegistrar", 6001)
    assert any("NotRegistrar" in line for line in caught.value.logs)


async def test_a_refusal_on_the_chain_has_its_name_too(founded: ChainClient, keys: Bootstrap) -> None:
    signed = await send_refused_registration(founded, keys)
    with pytest.raises(ProgramError, match="registry refused: NotRegistrar"):
        await founded.wait(signed)


async def test_the_founder_keeps_no_power_over_the_code(founded: ChainClient, keys: Bootstrap) -> None:
    ours = keys.upgrade_authority.pubkey()
    for name in NAMES:
        (account,) = await founded.raw_accounts([pdas.program_data(name)])
        assert account is not None
        assert account.data[12:45] == b"\x01" + bytes(pdas.governance_upgrader())
    taking = loader.set_authority(pdas.program_data("trading"), ours, ours)
    with pytest.raises(TransactionFailedError, match="IncorrectAuthority"):
        await founded.run([taking], [keys.fee_payer, keys.upgrade_authority])


async def test_pause_takes_two_members(founded: ChainClient, keys: Bootstrap) -> None:
    payer, (first, second, _) = keys.fee_payer.pubkey(), keys.members
    index = (await founded.account("governance", "Authority", pdas.governance_authority())).proposal_count
    await founded.run([governance.propose_pause(payer, first.pubkey(), index, paused=True)], [keys.fee_payer, first])
    with pytest.raises(ProgramError, match="NotEnoughApprovals"):
        await founded.run([governance.execute(index)], [keys.fee_payer])
    approved = [governance.approve(second.pubkey(), index), governance.execute(index)]
    await founded.run(approved, [keys.fee_payer, second])
    assert (await founded.account("governance", "Pause", pdas.governance_pause())).paused


async def test_a_wrong_upgrade_authority_founds_nothing(unfounded: ChainClient, keys: Bootstrap) -> None:
    wrong = Keypair()
    instruction = governance.initialize(
        keys.fee_payer.pubkey(), wrong.pubkey(), wrong.pubkey(), [wrong.pubkey()], 1, RATES, 172_800
    )
    with pytest.raises(ProgramError, match="governance refused: NotUpgradeAuthority"):
        await unfounded.run([instruction], [keys.fee_payer, wrong])
    assert await unfounded.account("governance", "Authority", pdas.governance_authority()) is None
