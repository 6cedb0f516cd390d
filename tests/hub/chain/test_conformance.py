"""Calls, subscriptions and error codes that every Solana node has, by the clients that the hub and wallets use.

They run on the embedded ledger, and on the node that PEERWATT_TEST_RPC_URL names as well (support/servers/nodes.py).
"""

import base64
from collections.abc import AsyncIterator
from typing import Any

import based58
import pytest
from solana.rpc.commitment import Confirmed, Finalized
from solana.rpc.core import RPCException
from solana.rpc.types import TxOpts
from solders.hash import Hash
from solders.keypair import Keypair
from solders.message import Message, MessageV0
from solders.rpc.errors import SendTransactionPreflightFailureMessage
from solders.signature import Signature
from solders.system_program import TransferParams, transfer
from solders.transaction import Transaction, VersionedTransaction
from solders.transaction_status import TransactionErrorFieldless

from hub.chain import pdas
from hub.chain.client import ChainClient
from support.servers.nodes import Node
from support.settlement.wallets import CALL, paid, payment, raw_call


@pytest.fixture
async def chain(node: Node) -> AsyncIterator[ChainClient]:
    async with ChainClient(node.url) as client:
        yield client


async def test_a_transaction_reads_back(chain: ChainClient, node: Node) -> None:
    to = Keypair().pubkey()
    signature = await paid(chain, node.rich, to)
    for encoding in ("json", "base64", "base58"):
        confirmed = (await chain.rpc.get_transaction(signature, encoding, max_supported_transaction_version=0)).value
        assert confirmed is not None
        assert confirmed.transaction.meta is not None
        assert confirmed.transaction.meta.err is None
        assert confirmed.transaction.meta.fee == 5000
        assert confirmed.transaction.meta.post_balances[1] == 10**7
    assert confirmed is not None
    block = (await chain.rpc.get_block(confirmed.slot, max_supported_transaction_version=0)).value
    assert block is not None
    assert block.block_height is not None
    assert block.block_height <= confirmed.slot
    assert signature in [entry.transaction.signatures[0] for entry in block.transactions or []]
    assert (await chain.rpc.get_block_time(confirmed.slot)).value == block.block_time == confirmed.block_time
    (row,) = (await chain.rpc.get_signatures_for_address(to)).value
    assert (row.signature, row.slot, row.err) == (signature, confirmed.slot, None)
    assert (await chain.rpc.get_signatures_for_address(to, before=signature)).value == []
    assert (await chain.rpc.get_transaction(Signature.new_unique())).value is None


async def test_versioned_transactions_are_taken(chain: ChainClient, node: Node) -> None:
    payer, to = node.rich, Keypair().pubkey()
    blockhash = await chain.latest_blockhash()
    gift = transfer(TransferParams(from_pubkey=payer.pubkey(), to_pubkey=to, lamports=10**7))
    sent = VersionedTransaction(MessageV0.try_compile(payer.pubkey(), [gift], [], blockhash.value), [payer])
    signature = await chain.send(bytes(sent))
    assert (await chain.rpc.confirm_transaction(signature, Confirmed)).value[0] is not None
    confirmed = (
        await chain.rpc.get_transaction(signature, commitment=Confirmed, max_supported_transaction_version=0)
    ).value
    assert confirmed is not None
    assert confirmed.transaction.version == 0


async def test_what_the_node_says_of_itself(chain: ChainClient, node: Node) -> None:
    rpc = chain.rpc
    assert await rpc.is_connected()
    assert (await rpc.get_version()).value.solana_core
    assert (await rpc.get_genesis_hash()).value == await chain.genesis_hash()
    first, height = (await rpc.get_slot()).value, (await rpc.get_block_height()).value
    assert 0 < height <= first + 2
    epoch = (await rpc.get_epoch_info()).value
    assert epoch.absolute_slot >= first
    assert (await rpc.get_epoch_schedule()).value.slots_per_epoch == epoch.slots_in_epoch
    assert (await rpc.get_minimum_balance_for_rent_exemption(0)).value == 890_880
    assert (await rpc.get_balance(Keypair().pubkey())).value == 0
    message = Message.new_with_blockhash([], node.rich.pubkey(), (await chain.latest_blockhash()).value)
    assert (await rpc.get_fee_for_message(message)).value == 5000
    old = Message.new_with_blockhash([], node.rich.pubkey(), Hash.new_unique())
    assert (await rpc.get_fee_for_message(old)).value is None
    recent = await raw_call(chain.url, {**CALL, "method": "getRecentPrioritizationFees"})
    assert all(fee["prioritizationFee"] >= 0 for fee in recent["result"])
    params = [str(message.recent_blockhash), {"commitment": "confirmed"}]
    request = {**CALL, "method": "isBlockhashValid", "params": params}
    assert (await raw_call(chain.url, request))["result"]["value"] is True
    leader = (await rpc.get_slot_leader()).value
    leaders = await raw_call(chain.url, {**CALL, "method": "getSlotLeaders", "params": [first, 3]})
    assert leaders["result"] == [str(leader)] * 3
    nodes = (await raw_call(chain.url, {**CALL, "method": "getClusterNodes"}))["result"]
    assert str(leader) in [node_info["pubkey"] for node_info in nodes]
    assert (await rpc.get_identity()).value.identity == leader
    assert (await rpc.get_first_available_block()).value <= first
    assert (await rpc.get_minimum_ledger_slot()).value <= first
    assert (await rpc.get_transaction_count()).value > 0
    assert (await rpc.get_vote_accounts()).value.delinquent == []


async def test_blocks_are_listed(chain: ChainClient, node: Node) -> None:
    slots = []
    for _ in range(2):
        signature = await paid(chain, node.rich, Keypair().pubkey())
        confirmed = (await chain.rpc.get_transaction(signature, max_supported_transaction_version=0)).value
        assert confirmed is not None
        slots.append(confirmed.slot)
    listed = (await chain.rpc.get_blocks(slots[0], slots[1])).value
    assert (listed[0], listed[-1]) == (slots[0], slots[1])
    assert listed == sorted(set(listed))
    assert (await chain.rpc.get_blocks(slots[0])).value[: len(listed)] == listed
    # an end that lies ahead is the newest block
    assert (await chain.rpc.get_blocks(slots[0], slots[1] + 10**6)).value[: len(listed)] == listed
    limited = await raw_call(chain.url, {**CALL, "method": "getBlocksWithLimit", "params": [slots[0], 2]})
    assert limited["result"] == listed[:2]


async def test_a_version_that_the_client_does_not_know_is_refused(chain: ChainClient, node: Node) -> None:
    payer = node.rich
    gift = transfer(TransferParams(from_pubkey=payer.pubkey(), to_pubkey=Keypair().pubkey(), lamports=10**7))
    blockhash = await chain.latest_blockhash()
    sent = VersionedTransaction(MessageV0.try_compile(payer.pubkey(), [gift], [], blockhash.value), [payer])
    signature = await chain.send(bytes(sent))
    await chain.rpc.confirm_transaction(signature, Finalized)
    call = {**CALL, "method": "getTransaction", "params": [str(signature), {"encoding": "json"}]}
    assert (await raw_call(chain.url, call))["error"]["code"] == -32015


async def test_a_wallet_reads_a_transaction_with_its_accounts(chain: ChainClient, node: Node) -> None:
    to = Keypair().pubkey()
    signature = await paid(chain, node.rich, to)
    confirmed = (await chain.rpc.get_transaction(signature, "jsonParsed", max_supported_transaction_version=0)).value
    assert confirmed is not None
    sent: Any = confirmed.transaction.transaction  # in the one of three forms that the encoding asks for
    keys = {key.pubkey: key for key in sent.message.account_keys}
    assert (keys[node.rich.pubkey()].signer, keys[node.rich.pubkey()].writable) == (True, True)
    assert (keys[to].signer, keys[to].writable) == (False, True)


async def test_the_faucet_pays(chain: ChainClient) -> None:
    to = Keypair().pubkey()
    await chain.rpc.confirm_transaction((await chain.rpc.request_airdrop(to, 10**9)).value, Confirmed)
    assert await chain.lamports(to) == 10**9


# -- refusals


async def refusal(chain: ChainClient, raw: bytes) -> Any:
    with pytest.raises(RPCException) as caught:
        await chain.rpc.send_raw_transaction(raw)
    return caught.value.args[0]


async def test_a_transaction_lands_once(chain: ChainClient, node: Node) -> None:
    sent = payment(node.rich, Keypair().pubkey(), 10**7, (await chain.latest_blockhash()).value)
    await chain.rpc.send_raw_transaction(bytes(sent))
    # without preflight the second copy is dropped in silence
    await chain.rpc.send_raw_transaction(bytes(sent), TxOpts(skip_preflight=True))
    await chain.rpc.confirm_transaction(sent.signatures[0], Finalized)
    error = await refusal(chain, bytes(sent))
    assert isinstance(error, SendTransactionPreflightFailureMessage)
    assert error.data.err == TransactionErrorFieldless.AlreadyProcessed
    assert (await chain.rpc.get_balance(sent.message.account_keys[1])).value == 10**7


async def test_an_unknown_blockhash_is_refused(chain: ChainClient, node: Node) -> None:
    error = await refusal(chain, bytes(payment(node.rich, Keypair().pubkey(), 1, Hash.new_unique())))
    assert error.message == "Transaction simulation failed: Blockhash not found"
    assert error.data.err == TransactionErrorFieldless.BlockhashNotFound


async def test_a_failing_transaction_is_refused_before_it_costs(chain: ChainClient, node: Node) -> None:
    before = await chain.lamports(node.rich.pubkey())
    sent = payment(node.rich, Keypair().pubkey(), 10**18, (await chain.latest_blockhash()).value)
    error = await refusal(chain, bytes(sent))
    assert "custom program error: 0x1" in error.message
    assert any("insufficient lamports" in line for line in error.data.logs)
    assert await chain.lamports(node.rich.pubkey()) == before
    assert (await chain.statuses([sent.signatures[0]])) == [None]


async def test_a_failing_transaction_without_preflight_pays_its_fee(chain: ChainClient, node: Node) -> None:
    before = await chain.lamports(node.rich.pubkey())
    sent = payment(node.rich, Keypair().pubkey(), 10**18, (await chain.latest_blockhash()).value)
    await chain.rpc.send_raw_transaction(bytes(sent), TxOpts(skip_preflight=True))
    status = (await chain.rpc.confirm_transaction(sent.signatures[0], Finalized)).value[0]
    assert status is not None
    assert status.err is not None
    assert await chain.lamports(node.rich.pubkey()) == before - 5000


async def test_a_wrong_signature_is_refused(chain: ChainClient, node: Node) -> None:
    sent = payment(node.rich, Keypair().pubkey(), 10**7, (await chain.latest_blockhash()).value)
    forged = Transaction.populate(sent.message, [Signature(bytes(reversed(bytes(sent.signatures[0]))))])
    answer = await raw_call(
        chain.url,
        {"jsonrpc": "2.0", "id": 1, "method": "sendTransaction", "params": [_base58(bytes(forged))]},
    )
    assert answer["error"]["code"] == -32003


def _base58(data: bytes) -> str:
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
REFUSALS: list[tuple[Any, int]] = [
    (b"{", -32700),
    ({"id": 7, "method": "getSlot"}, -32600),
    ({**CALL, "method": "getEverything"}, -32601),
    ({**CALL, "method": "getBalance"}, -32602),
    ({**CALL, "method": "getBalance", "params": {"a": 1}}, -32602),
    ({**CALL, "method": "getBalance", "params": ["short"]}, -32602),
    ({**CALL, "method": "getBalance", "params": [LOADER, {"minContextSlot": 10**12}]}, -32016),
    ({**CALL, "method": "getMultipleAccounts", "params": [["a"] * 101]}, -32602),
    ({**CALL, "method": "getSignatureStatuses", "params": [["a"] * 257]}, -32602),
    (
        {**CALL, "method": "getProgramAccounts", "params": [LOADER, {"filters": [{"size": 1}]}]},
        -32602,
    ),
    ({**CALL, "method": "getTokenSupply", "params": [LOADER]}, -32602),
    ({**CALL, "method": "getBlock", "params": [10**12]}, -32004),
    ({**CALL, "method": "sendTransaction", "params": ["!", {"encoding": "base64"}]}, -32602),
    ({**CALL, "method": "sendTransaction", "params": ["AAAA", {"encoding": "base64"}]}, -32602),
    ({**CALL, "method": "sendTransaction", "params": ["A" * 2000, {"encoding": "base64"}]}, -32602),
    ({**CALL, "method": "sendTransaction", "params": ["", {"encoding": "hex"}]}, -32602),
    ({**CALL, "method": "sendTransaction", "params": [MALFORMED, {"encoding": "base64"}]}, -32602),
    ({**CALL, "method": "isBlockhashValid", "params": ["1111"]}, -32602),
    ({**CALL, "method": "getTokenAccountsByOwner", "params": [LOADER, {}]}, -32602),
    ({**CALL, "method": "getTokenAccountsByOwner", "params": [LOADER, {"mint": LOADER}]}, -32602),
    ({**CALL, "method": "getTokenAccountsByOwner", "params": [LOADER, {"programId": LOADER}]}, -32602),
    ({**CALL, "method": "getBlocks", "params": [0, 5, {"commitment": "processed"}]}, -32602),
    ({**CALL, "method": "getBlocksWithLimit", "params": [0, 10**6]}, -32602),
    ({**CALL, "method": "getBlock", "params": [0, {"commitment": "processed"}]}, -32602),
    ({**CALL, "method": "getTransaction", "params": ["1" * 64, {"commitment": "processed"}]}, -32602),
    ({**CALL, "method": "getSlotLeaders", "params": [0, 5001]}, -32602),
    ({**CALL, "method": "isBlockhashValid", "params": ["no base58: 0OIl"]}, -32602),
    ({**CALL, "method": "getProgramAccounts", "params": [LOADER, {"filters": [{"memcmp": {"bytes": [300]}}]}]}, -32602),
    ({**CALL, "method": "getProgramAccounts", "params": [LOADER, {"filters": [{"memcmp": {"bytes": ["a"]}}]}]}, -32602),
]


@pytest.mark.parametrize(("body", "code"), REFUSALS, ids=range(len(REFUSALS)))
async def test_error_codes(chain: ChainClient, body: Any, code: int) -> None:
    assert (await raw_call(chain.url, body))["error"]["code"] == code


async def test_batches_are_answered_in_order(chain: ChainClient) -> None:
    answers = await raw_call(chain.url, [{**CALL, "method": "getSlot"}, {**CALL, "method": "no"}, {"id": 8}])
    assert ["error" in answer for answer in answers] == [False, True, True]
