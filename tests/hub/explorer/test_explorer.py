"""The explorer's API on a real embedded ledger: programs, accounts by the IDL, transactions with logs, blocks."""

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from solders.keypair import Keypair

from hub.chain import pdas, setup
from hub.chain.bootstrap import Bootstrap
from hub.chain.client import ChainClient
from hub.chain.errors import ProgramError
from hub.chain.instructions import governance
from hub.chain.programs import NAMES, PROGRAM_IDS, published_hash
from hub.demo.chain import RATES
from hub.postgres.db import Pool
from support.servers.api import Api, problem, running_api
from support.servers.ledger import LedgerProcess
from support.servers.nodes import NO_CHAIN
from support.settlement.campus import trader_of
from support.settlement.wallets import send_refused_registration
from support.waiting import eventually

NOW_MS = time.time_ns() // 1_000_000


@pytest.fixture
async def chain(module_ledger: LedgerProcess, keys: Bootstrap) -> AsyncIterator[ChainClient]:
    async with ChainClient(module_ledger.url) as client:
        await setup.ensure_genesis(client, keys, rates=RATES, interval_s=900)
        yield client


@pytest.fixture
async def api(pool: Pool, state_dir: Path, chain: ChainClient) -> AsyncIterator[Api]:
    async with running_api(pool, state_dir, NOW_MS, rpc_url=chain.url) as api:
        yield api


async def _get(api: Api, path: str, **params: Any) -> Any:
    answer = await api.get(f"/chain{path}", api.bearer("facilities"), **params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_the_head(api: Api, chain: ChainClient) -> None:
    head = await _get(api, "/head")
    assert (head["cluster"], head["genesis_hash"]) == ("private", str(await chain.genesis_hash()))
    assert head["slot"] >= head["finalized_slot"] > 0
    assert head["transactions"] > 0
    block = await _get(api, "/blocks/0")
    assert (block["slot"], block["signatures"]) == (0, [])


async def test_programs_are_compared_with_the_published_ones(api: Api) -> None:
    items = {program["name"]: program for program in (await _get(api, "/programs"))["items"]}
    assert list(items) == list(NAMES)
    for name, program in items.items():
        assert (program["address"], program["deployed"], program["matches"]) == (str(PROGRAM_IDS[name]), True, True)
        assert program["sha256"] == program["published_sha256"] == published_hash(name)
        assert program["upgrade_authority"] == str(pdas.governance_upgrader())
        assert all(first["founded"] for first in program["accounts"]) and program["accounts"]


async def test_accounts_are_decoded_by_the_idl(api: Api, chain: ChainClient, keys: Bootstrap) -> None:
    trader = trader_of(Keypair())
    await setup.ensure_traders(chain, keys, [trader])
    wallet = trader.wallet.pubkey()
    account = await _get(api, f"/accounts/{pdas.account(wallet)}")
    assert (account["owner_name"], account["kind"]) == ("trading", "Account")
    assert account["fields"]["wallet"] == str(wallet)
    assert account["fields"]["balance_micros"] == trader.deposit_micros
    assert account["fields"]["reserved"] == "000000"

    authority = await _get(api, f"/accounts/{pdas.governance_authority()}")
    assert authority["fields"]["members"] == [str(member.pubkey()) for member in keys.members]
    params = await _get(api, f"/accounts/{pdas.governance_params()}")
    assert params["fields"]["rate_sets"][0]["import_tariff_mills"] == RATES.import_tariff_mills
    pool = await _get(api, f"/accounts/{pdas.currency_pool()}")
    assert (pool["kind"], pool["fields"]["mint"]) == ("TokenAccount", str(keys.mint))
    mint = await _get(api, f"/accounts/{keys.mint}")
    assert (mint["kind"], mint["fields"]["decimals"]) == ("Mint", 6)
    payer = await _get(api, f"/accounts/{keys.fee_payer.pubkey()}")
    assert (payer["kind"], payer["fields"], payer["owner_name"]) == (None, None, "System program")
    assert isinstance(payer["lamports"], int)


async def test_an_enums_variant_is_told_with_its_fields(api: Api, chain: ChainClient, keys: Bootstrap) -> None:
    payer, member = keys.fee_payer.pubkey(), keys.members[0]
    index = (await chain.account("governance", "Authority", pdas.governance_authority())).proposal_count
    instruction = governance.propose_pause(payer, member.pubkey(), index, paused=True)
    await chain.run([instruction], [keys.fee_payer, member])
    proposal = await _get(api, f"/accounts/{pdas.governance_proposal(index)}")
    assert proposal["fields"]["action"] == {"SetPause": [True]}
    assert proposal["fields"]["status"] == "Open"


async def test_a_transaction_with_its_logs_and_units(api: Api, chain: ChainClient, keys: Bootstrap) -> None:
    wallet = Keypair()
    await setup.ensure_participants(chain, keys, [wallet])
    address = pdas.participant(wallet.pubkey())
    page = await _get(api, "/transactions", address=str(address))
    assert (len(page["items"]), page["next_before"]) == (1, None)
    row = page["items"][0]
    assert (row["failed"], row["level"] in {"confirmed", "finalized"}) == (False, True)

    transaction = await _get(api, f"/transactions/{row['signature']}")
    assert (transaction["slot"], transaction["error"]) == (row["slot"], None)
    assert transaction["fee_payer"] == str(keys.fee_payer.pubkey())
    assert transaction["fee_lamports"] == 15_000
    assert 0 < transaction["compute_units"] < 20_000
    budget, instruction = transaction["instructions"]
    assert (budget["program_name"], budget["name"]) == ("Compute budget", None)
    assert (instruction["program_name"], instruction["name"]) == ("registry", "register_participant")
    accounts = {account["name"]: account for account in instruction["accounts"]}
    assert accounts["participant"]["address"] == str(address)
    assert accounts["wallet"]["signer"] and accounts["payer"]["writable"]
    assert any("Instruction: RegisterParticipant" in line for line in transaction["logs"])
    await eventually(lambda: _is_final(api, transaction["slot"]), what="the transaction's block is final")
    block = await _get(api, f"/blocks/{transaction['slot']}")
    assert row["signature"] in block["signatures"]


async def _is_final(api: Api, slot: int) -> bool:
    return bool((await _get(api, "/head"))["finalized_slot"] >= slot)


async def test_a_failed_transaction_has_the_programs_own_name_for_it(
    api: Api, chain: ChainClient, keys: Bootstrap
) -> None:
    signed = await send_refused_registration(chain, keys)
    with pytest.raises(ProgramError):
        await chain.wait(signed)
    transaction = await _get(api, f"/transactions/{signed.signature}")
    assert transaction["error"].startswith("registry refused: NotRegistrar (6001)")
    newest = await _get(api, "/transactions")
    assert {row["signature"]: row["failed"] for row in newest["items"]}[str(signed.signature)] is True


async def test_lists_go_on_page_by_page(api: Api, chain: ChainClient, keys: Bootstrap) -> None:
    await setup.ensure_gateways(chain, keys, ["gw-1", "gw-2", "gw-3"])
    address = str(pdas.registry_config())
    all_signatures = [
        row["signature"] for row in (await _get(api, "/transactions", address=address, limit=100))["items"]
    ]
    seen: list[str] = []
    before: dict[str, str] = {}
    while True:
        page = await _get(api, "/transactions", address=address, limit=2, **before)
        seen += [row["signature"] for row in page["items"]]
        if page["next_before"] is None:
            break
        before = {"before": page["next_before"]}
    assert seen == all_signatures
    assert len(all_signatures) == len(set(all_signatures)) >= 3


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        (f"/accounts/{Keypair.from_seed(bytes(32)).pubkey()}", 404, "not_found"),
        (f"/transactions/{'1' * 64}", 404, "not_found"),
        ("/blocks/9007199254740000", 404, "not_found"),
        (f"/accounts/{'1' * 44}", 422, "not_base58"),
        (f"/transactions/{'z' * 70}", 422, "not_base58"),
        (f"/transactions?address={'z' * 44}", 422, "not_base58"),
        ("/accounts/0OIl", 422, "invalid_request"),
        ("/transactions?limit=101", 422, "invalid_request"),
    ],
)
async def test_what_is_not_there_or_no_address(api: Api, path: str, status: int, code: str) -> None:
    assert problem(await api.get(f"/chain{path}", api.bearer("auditor")), status, code)


async def test_a_chain_that_is_away_is_said(pool: Pool, state_dir: Path) -> None:
    async with running_api(pool, state_dir, NOW_MS, rpc_url=NO_CHAIN) as api:
        for path in ("/head", "/programs", "/transactions", f"/accounts/{PROGRAM_IDS['oracle']}"):
            problem(await api.get(f"/chain{path}", api.bearer("participant")), 503, "chain_unreachable")
