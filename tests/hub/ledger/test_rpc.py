"""What only the embedded ledger promises of its RPC: its levels step by step, its own bounds, and who may ask."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from solana.rpc.commitment import Confirmed, Finalized, Processed
from solana.rpc.core import RPCException
from solana.rpc.types import DataSliceOpts, MemcmpOpts, TxOpts
from solders.keypair import Keypair
from solders.transaction_status import TransactionConfirmationStatus, TransactionErrorFieldless

from hub.chain import pdas
from hub.chain.client import ChainClient
from hub.chain.programs import PROGRAM_IDS, program_binary
from hub.clock import SystemClock
from hub.ledger.blocks import SLOT_MS
from hub.ledger.genesis import Genesis
from hub.ledger.opening import open_chain
from hub.ledger.producer import BATCH_S, FINALISE_S, Producer
from hub.ledger.rpc.blocks import MAX_SLOTS
from hub.ledger.rpc.server import RpcServer
from support.servers.ledger import LedgerProcess
from support.servers.ledger_site import Site, served
from support.settlement.wallets import CALL, paid, payment, raw_call


async def test_a_transaction_becomes_confirmed_and_then_final(tmp_path: Path) -> None:
    """Blocks are stored by hand here, so that every level is there to be seen."""
    authority, rich, to = Keypair(), Keypair(), Keypair().pubkey()
    genesis = Genesis(rich.pubkey(), {rich.pubkey(): 10**15})
    ledger = open_chain(tmp_path / "ledger.sqlite", authority, SystemClock(), lambda: (genesis, {}))
    async with served(RpcServer(ledger, Producer(ledger), faucet=False)) as url, ChainClient(url) as chain:
        rpc = chain.rpc
        latest = (await rpc.get_latest_blockhash()).value
        sent = payment(rich, to, 10**7, latest.blockhash)
        signature = (await rpc.send_raw_transaction(bytes(sent), TxOpts(preflight_commitment=Processed))).value
        assert signature == sent.signatures[0]
        seen = []
        steps: list[Callable[[], None]] = [lambda: None, ledger.commit, ledger.finalise]
        for step in steps:
            step()
            (status,) = (await rpc.get_signature_statuses([signature])).value
            assert status is not None
            balances = [(await rpc.get_balance(to, level)).value for level in (Processed, Confirmed, Finalized)]
            seen.append((status.confirmation_status, [balance // 10**7 for balance in balances]))
        assert seen == [
            (TransactionConfirmationStatus.Processed, [1, 0, 0]),
            (TransactionConfirmationStatus.Confirmed, [1, 1, 0]),
            (TransactionConfirmationStatus.Finalized, [1, 1, 1]),
        ]
        height = latest.last_valid_block_height
        assert (await rpc.confirm_transaction(signature, Finalized, last_valid_block_height=height)).value
    ledger.close()


async def test_final_comes_soon_and_by_itself(chain: ChainClient, shared_ledger: LedgerProcess) -> None:
    """Nothing follows that would seal the block; what the ledger waits for is its own batch and seal."""
    to = Keypair().pubkey()
    await paid(chain, shared_ledger.rich, to)
    assert (await chain.rpc.get_balance(to, Finalized)).value == 10**7
    assert BATCH_S + FINALISE_S < 0.25


async def test_accounts_in_each_form(chain: ChainClient, shared_ledger: LedgerProcess) -> None:
    rpc, program = chain.rpc, PROGRAM_IDS["governance"]
    pointer = (await rpc.get_account_info(program)).value
    assert pointer is not None
    assert pointer.executable
    assert bytes(pointer.data[4:36]) == bytes(pdas.program_data("governance"))
    code = (await rpc.get_account_info(pdas.program_data("governance"), data_slice=DataSliceOpts(45, 4))).value
    assert code is not None
    assert bytes(code.data) == b"\x7fELF"
    both = (await rpc.get_multiple_accounts([shared_ledger.rich.pubkey(), Keypair().pubkey()])).value
    assert both[0] is not None
    assert both[1] is None
    (raw,) = await chain.raw_accounts([pdas.program_data("trading")])
    assert raw is not None
    assert raw.data[45:] == program_binary("trading")
    size = len(pdas.program_data("trading").__bytes__()) + len(raw.data) - 32
    owned = await rpc.get_program_accounts(pdas.UPGRADEABLE_LOADER, encoding="base64", filters=[size])
    assert pdas.program_data("trading") in [account.pubkey for account in owned.value]
    executable = MemcmpOpts(0, "8qbHbw2BbbT")  # never matches: the length differs
    assert (await rpc.get_program_accounts(pdas.UPGRADEABLE_LOADER, filters=[36, executable])).value == []


async def test_what_the_ledger_says_of_itself(chain: ChainClient) -> None:
    assert (await chain.rpc.get_version()).value.solana_core == "2.2.0"
    block = (await chain.rpc.get_block(0)).value
    assert block is not None
    assert block.blockhash == await chain.genesis_hash()


OWN_REFUSALS: list[tuple[Any, int]] = [
    (b"[" * 100_000, -32700),
    ({**CALL, "method": "getMinimumBalanceForRentExemption", "params": [2**40]}, -32602),
    # Agave answers these three without JSON, with an empty body, and as if no commitment were named
    (b"\xff", -32700),
    ([], -32600),
    ({**CALL, "method": "getBalance", "params": [str(Keypair().pubkey()), {"commitment": "soon"}]}, -32602),
]


@pytest.mark.parametrize(("body", "code"), OWN_REFUSALS, ids=["nested", "rent", "bytes", "empty", "commitment"])
async def test_own_refusals(chain: ChainClient, body: Any, code: int) -> None:
    assert (await raw_call(chain.url, body))["error"]["code"] == code


async def test_the_faucet_pays_the_same_gift_twice(chain: ChainClient) -> None:
    """Also within the life of one blockhash, where Agave's second gift is the same transaction as its first."""
    to = Keypair().pubkey()
    for signature in [(await chain.rpc.request_airdrop(to, 10**9)).value for _ in range(2)]:
        await chain.rpc.confirm_transaction(signature, Confirmed)
    assert await chain.lamports(to) == 2 * 10**9


async def test_a_second_copy_is_refused_at_once(chain: ChainClient, shared_ledger: LedgerProcess) -> None:
    """Agave's preflight looks at a block that is final unless it is told otherwise, and takes the copy until then."""
    sent = payment(shared_ledger.rich, Keypair().pubkey(), 10**7, (await chain.latest_blockhash()).value)
    await chain.rpc.send_raw_transaction(bytes(sent))
    with pytest.raises(RPCException) as caught:
        await chain.rpc.send_raw_transaction(bytes(sent))
    assert caught.value.args[0].data.err == TransactionErrorFieldless.AlreadyProcessed


async def test_a_range_of_too_many_slots_is_refused(tmp_path: Path) -> None:
    site = Site(tmp_path / "ledger.sqlite")
    async with served(RpcServer(site.chain, Producer(site.chain), faucet=False)) as url:
        request = {**CALL, "method": "getBlocks", "params": [0, 10**6]}
        assert (await raw_call(url, request))["result"] == [0]
        site.clock.advance((MAX_SLOTS + 1) * SLOT_MS)
        assert (await raw_call(url, request))["error"]["code"] == -32602
    site.chain.close()


async def test_batches_are_answered_in_order_and_bounded(chain: ChainClient) -> None:
    answers = await raw_call(chain.url, [{**CALL, "method": "getSlot"}, {**CALL, "method": "no"}, 5])
    assert ["error" in answer for answer in answers] == [False, True, True]
    assert (await raw_call(chain.url, [{**CALL, "method": "getSlot"}] * 51))["error"]["code"] == -32600


async def test_who_leaves_in_the_middle_of_a_request_is_no_fault(
    chain: ChainClient, shared_ledger: LedgerProcess
) -> None:
    """A worker that is stopped while it sends; its trace would be the last thing in the log."""
    parts = urlsplit(chain.url)
    _, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\n{")
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    async with httpx.AsyncClient() as http:
        for _ in range(3):
            assert (await http.get(f"{chain.url}/health")).text == "ok"
    assert "ClientDisconnect" not in shared_ledger.log()


async def test_a_huge_request_or_a_foreign_host_is_refused(chain: ChainClient) -> None:
    async with httpx.AsyncClient() as http:
        assert (await http.post(chain.url, content=b" " * 200_000)).status_code == 413
        foreign = await http.post(chain.url, content=b"{}", headers={"Host": "evil.example"})
        assert foreign.status_code == 400
        assert (await http.get(f"{chain.url}/health")).text == "ok"
