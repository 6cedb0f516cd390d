"""The calls of solana-py that the hub, anchorpy and a wallet use, and the error codes, against the ledger's process."""

import asyncio
import base64
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from solana.rpc.commitment import Confirmed, Finalized, Processed
from solana.rpc.core import RPCException
from solana.rpc.types import DataSliceOpts, MemcmpOpts, TxOpts
from solders.hash import Hash
from solders.keypair import Keypair
from solders.message import Message, MessageV0
from solders.pubkey import Pubkey
from solders.rpc.errors import SendTransactionPreflightFailureMessage
from solders.signature import Signature
from solders.system_program import TransferParams, transfer
from solders.transaction import Transaction, VersionedTransaction
from solders.transaction_status import TransactionConfirmationStatus, TransactionErrorFieldless

from hub.chain import pdas
from hub.chain.client import ChainClient
from hub.chain.ledger.genesis import NATIVE_SUPPLY_LAMPORTS, Genesis
from hub.chain.ledger.opening import open_chain
from hub.chain.ledger.producer import BATCH_S, SEAL_S, Producer
from hub.chain.ledger.server import RpcServer
from hub.chain.programs import PROGRAM_IDS, program_binary
from hub.clock import SystemClock
from support.ledger import LedgerProcess


def payment(payer: Keypair, to: Pubkey, lamports: int, blockhash: Hash) -> Transaction:
    gift = transfer(TransferParams(from_pubkey=payer.pubkey(), to_pubkey=to, lamports=lamports))
    return Transaction([payer], Message([gift], payer.pubkey()), blockhash)


async def paid(chain: ChainClient, payer: Keypair, to: Pubkey, lamports: int = 10**7) -> Signature:
    """A payment that is final."""
    gift = transfer(TransferParams(from_pubkey=payer.pubkey(), to_pubkey=to, lamports=lamports))
    signed = await chain.prepare([gift], [payer])
    await chain.send(signed)
    await chain.wait(signed)
    return signed.signature


async def raw_call(url: str, body: Any) -> Any:
    async with httpx.AsyncClient() as http:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return (await http.post(url, content=content)).json()


async def test_a_transaction_becomes_confirmed_and_then_final(tmp_path: Path) -> None:
    """Blocks are stored by hand here, so that every level is there to be seen."""
    authority, rich, to = Keypair(), Keypair(), Keypair().pubkey()
    founding = Genesis(rich.pubkey(), {rich.pubkey(): 10**15})
    ledger = open_chain(tmp_path / "ledger.sqlite", authority, SystemClock(), lambda: (founding, {}))
    async with served(RpcServer(ledger, Producer(ledger), faucet=False)) as url, ChainClient(url) as chain:
        rpc = chain.rpc
        latest = (await rpc.get_latest_blockhash()).value
        sent = payment(rich, to, 10**7, latest.blockhash)
        signature = (await rpc.send_raw_transaction(bytes(sent), TxOpts(preflight_commitment=Processed))).value
        assert signature == sent.signatures[0]
        seen = []
        steps: list[Callable[[], None]] = [lambda: None, ledger.commit, ledger.seal]
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


@contextlib.asynccontextmanager
async def served(rpc: RpcServer) -> AsyncIterator[str]:
    """The ledger's HTTP side on a port of its own, in this process."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(rpc.app(), log_config=None, lifespan="off"))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        await serving


async def test_final_comes_soon_and_by_itself(chain: ChainClient, shared_ledger: LedgerProcess) -> None:
    """Nothing follows that would seal the block; what the ledger waits for is its own batch and seal."""
    to = Keypair().pubkey()
    await paid(chain, shared_ledger.rich, to)
    assert (await chain.rpc.get_balance(to, Finalized)).value == 10**7
    assert BATCH_S + SEAL_S < 0.25


async def test_a_transaction_reads_back(chain: ChainClient, shared_ledger: LedgerProcess) -> None:
    to = Keypair().pubkey()
    signature = await paid(chain, shared_ledger.rich, to)
    for encoding in ("json", "base64", "base58"):
        found = (await chain.rpc.get_transaction(signature, encoding, max_supported_transaction_version=0)).value
        assert found is not None
        assert found.transaction.meta is not None
        assert found.transaction.meta.err is None
        assert found.transaction.meta.fee == 5000
        assert found.transaction.meta.post_balances[1] == 10**7
    assert found is not None
    block = (await chain.rpc.get_block(found.slot, max_supported_transaction_version=0)).value
    assert block is not None
    assert block.block_height is not None
    assert block.block_height <= found.slot
    assert len(block.transactions or []) == 1
    assert (await chain.rpc.get_block_time(found.slot)).value == block.block_time == found.block_time
    (row,) = (await chain.rpc.get_signatures_for_address(to)).value
    assert (row.signature, row.slot, row.err) == (signature, found.slot, None)
    assert (await chain.rpc.get_signatures_for_address(to, before=signature)).value == []
    assert (await chain.rpc.get_transaction(Signature.new_unique())).value is None


async def test_versioned_transactions_are_taken(chain: ChainClient, shared_ledger: LedgerProcess) -> None:
    payer, to = shared_ledger.rich, Keypair().pubkey()
    blockhash = await chain.latest_blockhash()
    gift = transfer(TransferParams(from_pubkey=payer.pubkey(), to_pubkey=to, lamports=10**7))
    sent = VersionedTransaction(MessageV0.try_compile(payer.pubkey(), [gift], [], blockhash.value), [payer])
    signature = await chain.send(bytes(sent))
    assert (await chain.rpc.confirm_transaction(signature, Confirmed)).value[0] is not None
    found = (
        await chain.rpc.get_transaction(signature, commitment=Confirmed, max_supported_transaction_version=0)
    ).value
    assert found is not None
    assert found.transaction.version == 0


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
    assert pdas.program_data("trading") in [one.pubkey for one in owned.value]
    executable = MemcmpOpts(0, "8qbHbw2BbbT")  # never matches: the length differs
    assert (await rpc.get_program_accounts(pdas.UPGRADEABLE_LOADER, filters=[36, executable])).value == []


async def test_what_the_node_says_of_itself(chain: ChainClient, shared_ledger: LedgerProcess) -> None:
    rpc = chain.rpc
    assert await rpc.is_connected()
    assert (await rpc.get_version()).value.solana_core == "2.2.0"
    assert (await rpc.get_genesis_hash()).value == await chain.genesis_hash()
    first, height = (await rpc.get_slot()).value, (await rpc.get_block_height()).value
    assert 0 < height <= first + 2
    epoch = (await rpc.get_epoch_info()).value
    assert epoch.absolute_slot >= first
    assert epoch.block_height >= height
    assert (await rpc.get_minimum_balance_for_rent_exemption(0)).value == 890_880
    assert (await rpc.get_balance(Keypair().pubkey())).value == 0
    message = Message.new_with_blockhash([], shared_ledger.rich.pubkey(), (await chain.latest_blockhash()).value)
    assert (await rpc.get_fee_for_message(message)).value == 5000
    old = Message.new_with_blockhash([], shared_ledger.rich.pubkey(), Hash.new_unique())
    assert (await rpc.get_fee_for_message(old)).value is None
    recent = await raw_call(chain.url, {"jsonrpc": "2.0", "id": 1, "method": "getRecentPrioritizationFees"})
    assert recent["result"][0]["prioritizationFee"] == 0
    asked = {"jsonrpc": "2.0", "id": 1, "method": "isBlockhashValid", "params": [str(message.recent_blockhash)]}
    assert (await raw_call(chain.url, asked))["result"]["value"] is True
    block = (await rpc.get_block(0)).value
    assert block is not None
    assert block.blockhash == await chain.genesis_hash()


async def test_the_faucet_pays_the_same_gift_twice(chain: ChainClient) -> None:
    to = Keypair().pubkey()
    signatures = [(await chain.rpc.request_airdrop(to, 10**9)).value for _ in range(2)]
    for signature in signatures:
        await chain.rpc.confirm_transaction(signature, Confirmed)
    assert await chain.lamports(to) == 2 * 10**9
    assert NATIVE_SUPPLY_LAMPORTS > 10**9


# -- refusals


async def refusal(chain: ChainClient, raw: bytes) -> Any:
    with pytest.raises(RPCException) as caught:
        await chain.rpc.send_raw_transaction(raw)
    return caught.value.args[0]


async def test_a_transaction_lands_once(chain: ChainClient, shared_ledger: LedgerProcess) -> None:
    sent = payment(shared_ledger.rich, Keypair().pubkey(), 10**7, (await chain.latest_blockhash()).value)
    await chain.rpc.send_raw_transaction(bytes(sent))
    error = await refusal(chain, bytes(sent))
    assert isinstance(error, SendTransactionPreflightFailureMessage)
    assert error.data.err == TransactionErrorFieldless.AlreadyProcessed
    # without preflight the second copy is dropped in silence, as on Solana
    await chain.rpc.send_raw_transaction(bytes(sent), TxOpts(skip_preflight=True))
    await chain.rpc.confirm_transaction(sent.signatures[0], Finalized)
    assert (await refusal(chain, bytes(sent))).data.err == TransactionErrorFieldless.AlreadyProcessed
    assert (await chain.rpc.get_balance(sent.message.account_keys[1])).value == 10**7


async def test_an_unknown_blockhash_is_refused(chain: ChainClient, shared_ledger: LedgerProcess) -> None:
    error = await refusal(chain, bytes(payment(shared_ledger.rich, Keypair().pubkey(), 1, Hash.new_unique())))
    assert error.message == "Transaction simulation failed: Blockhash not found"
    assert error.data.err == TransactionErrorFieldless.BlockhashNotFound


async def test_a_failing_transaction_is_refused_before_it_costs(
    chain: ChainClient, shared_ledger: LedgerProcess
) -> None:
    before = await chain.lamports(shared_ledger.rich.pubkey())
    sent = payment(shared_ledger.rich, Keypair().pubkey(), 10**18, (await chain.latest_blockhash()).value)
    error = await refusal(chain, bytes(sent))
    assert "custom program error: 0x1" in error.message
    assert any("insufficient lamports" in line for line in error.data.logs)
    assert await chain.lamports(shared_ledger.rich.pubkey()) == before
    assert (await chain.statuses([sent.signatures[0]])) == [None]


async def test_a_failing_transaction_without_preflight_pays_its_fee(
    chain: ChainClient, shared_ledger: LedgerProcess
) -> None:
    before = await chain.lamports(shared_ledger.rich.pubkey())
    sent = payment(shared_ledger.rich, Keypair().pubkey(), 10**18, (await chain.latest_blockhash()).value)
    await chain.rpc.send_raw_transaction(bytes(sent), TxOpts(skip_preflight=True))
    status = (await chain.rpc.confirm_transaction(sent.signatures[0], Finalized)).value[0]
    assert status is not None
    assert status.err is not None
    assert await chain.lamports(shared_ledger.rich.pubkey()) == before - 5000


async def test_a_wrong_signature_is_refused(chain: ChainClient, shared_ledger: LedgerProcess) -> None:
    sent = payment(shared_ledger.rich, Keypair().pubkey(), 10**7, (await chain.latest_blockhash()).value)
    forged = Transaction.populate(sent.message, [Signature(bytes(reversed(bytes(sent.signatures[0]))))])
    answer = await raw_call(
        chain.url,
        {"jsonrpc": "2.0", "id": 1, "method": "sendTransaction", "params": [_base58(bytes(forged))]},
    )
    assert answer["error"]["code"] == -32003


def _base58(data: bytes) -> str:
    import based58

    return str(based58.b58encode(data).decode())


def _malformed() -> str:
    """A transaction whose instruction names an account that it does not have."""
    payer = Keypair()
    raw = bytearray(bytes(payment(payer, Keypair().pubkey(), 1, Hash.default())))
    first_account_of_the_instruction = raw.index(bytes([2, 2, 0, 1])) + 2
    raw[first_account_of_the_instruction] = 99
    return base64.b64encode(bytes(raw)).decode()


MALFORMED = _malformed()
LOADER = str(pdas.UPGRADEABLE_LOADER)
CALL = {"jsonrpc": "2.0", "id": 7}
REFUSALS: list[tuple[Any, int]] = [
    (b"{", -32700),
    (b"\xff", -32700),
    (b"[" * 100_000, -32700),
    ([], -32600),
    ({"id": 7, "method": "getSlot"}, -32600),
    ({**CALL, "method": "getEverything"}, -32601),
    ({**CALL, "method": "getBalance"}, -32602),
    ({**CALL, "method": "getBalance", "params": {"a": 1}}, -32602),
    ({**CALL, "method": "getBalance", "params": ["short"]}, -32602),
    ({**CALL, "method": "getBalance", "params": [str(PROGRAM_IDS["oracle"]), {"commitment": "max"}]}, -32602),
    ({**CALL, "method": "getBalance", "params": [str(PROGRAM_IDS["oracle"]), {"minContextSlot": 10**12}]}, -32016),
    ({**CALL, "method": "getMultipleAccounts", "params": [["a"] * 101]}, -32602),
    ({**CALL, "method": "getSignatureStatuses", "params": [["a"] * 257]}, -32602),
    (
        {**CALL, "method": "getProgramAccounts", "params": [str(PROGRAM_IDS["oracle"]), {"filters": [{"size": 1}]}]},
        -32602,
    ),
    ({**CALL, "method": "getTokenSupply", "params": [str(PROGRAM_IDS["oracle"])]}, -32602),
    ({**CALL, "method": "getMinimumBalanceForRentExemption", "params": [2**40]}, -32602),
    ({**CALL, "method": "getBlock", "params": [10**12]}, -32004),
    ({**CALL, "method": "sendTransaction", "params": ["!", {"encoding": "base64"}]}, -32602),
    ({**CALL, "method": "sendTransaction", "params": ["AAAA", {"encoding": "base64"}]}, -32602),
    ({**CALL, "method": "sendTransaction", "params": ["A" * 2000, {"encoding": "base64"}]}, -32602),
    ({**CALL, "method": "sendTransaction", "params": ["", {"encoding": "hex"}]}, -32602),
    ({**CALL, "method": "sendTransaction", "params": [MALFORMED, {"encoding": "base64"}]}, -32602),
    ({**CALL, "method": "isBlockhashValid", "params": ["1111"]}, -32602),
    ({**CALL, "method": "isBlockhashValid", "params": ["no base58: 0OIl"]}, -32602),
    ({**CALL, "method": "getProgramAccounts", "params": [LOADER, {"filters": [{"memcmp": {"bytes": [300]}}]}]}, -32602),
    ({**CALL, "method": "getProgramAccounts", "params": [LOADER, {"filters": [{"memcmp": {"bytes": ["a"]}}]}]}, -32602),
]


@pytest.mark.parametrize(("body", "code"), REFUSALS, ids=range(len(REFUSALS)))
async def test_error_codes(chain: ChainClient, body: Any, code: int) -> None:
    assert (await raw_call(chain.url, body))["error"]["code"] == code


async def test_batches_are_answered_in_order_and_bounded(chain: ChainClient) -> None:
    answers = await raw_call(chain.url, [{**CALL, "method": "getSlot"}, {**CALL, "method": "no"}, 5])
    assert ["error" in one for one in answers] == [False, True, True]
    assert (await raw_call(chain.url, [{**CALL, "method": "getSlot"}] * 51))["error"]["code"] == -32600


async def test_a_huge_request_or_a_foreign_host_is_refused(chain: ChainClient) -> None:
    async with httpx.AsyncClient() as http:
        assert (await http.post(chain.url, content=b" " * 200_000)).status_code == 413
        foreign = await http.post(chain.url, content=b"{}", headers={"Host": "evil.example"})
        assert foreign.status_code == 400
        assert (await http.get(f"{chain.url}/health")).text == "ok"
