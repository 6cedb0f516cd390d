"""Accounts and tokens as every Solana node returns them, in each encoding; on the nodes of test_conformance.py."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from solana.rpc.types import DataSliceOpts, MemcmpOpts, TokenAccountOpts
from solders.keypair import Keypair
from spl.token.constants import TOKEN_PROGRAM_ID

from hub.chain.client import ChainClient
from support.servers.nodes import Node
from support.settlement.wallets import CALL, Tokens, raw_call


@pytest.fixture
async def chain(node: Node) -> AsyncIterator[ChainClient]:
    async with ChainClient(node.url) as client:
        yield client


async def test_token_calls(chain: ChainClient, node: Node) -> None:
    tokens = Tokens(chain, node.rich)
    await tokens.make()
    rpc, mint, held = chain.rpc, tokens.mint.pubkey(), tokens.held.pubkey()
    balance = (await rpc.get_token_account_balance(held)).value
    assert (balance.amount, balance.decimals, balance.ui_amount_string) == ("1500", 3, "1.5")
    assert (await rpc.get_token_supply(mint)).value.amount == "1520"
    largest = (await rpc.get_token_largest_accounts(mint)).value
    assert [(holder.address, holder.amount.amount) for holder in largest] == [
        (held, "1500"),
        (tokens.other.pubkey(), "20"),
    ]
    for options in (TokenAccountOpts(mint=mint), TokenAccountOpts(program_id=TOKEN_PROGRAM_ID)):
        plain = (await rpc.get_token_accounts_by_owner(tokens.user.pubkey(), options)).value
        assert [keyed.pubkey for keyed in plain] == [held]
        assert bytes(plain[0].account.data[:32]) == bytes(mint)
        parsed = (await rpc.get_token_accounts_by_owner_json_parsed(tokens.user.pubkey(), options)).value
        info: Any = parsed[0].account.data.parsed["info"]
        assert (parsed[0].account.data.program, info["owner"]) == ("spl-token", str(tokens.user.pubkey()))
        assert info["tokenAmount"]["uiAmountString"] == "1.5"
        assert info["delegatedAmount"]["amount"] == "7"
        delegated = (await rpc.get_token_accounts_by_delegate(tokens.delegate, options)).value
        assert [keyed.pubkey for keyed in delegated] == [held]
    assert (await rpc.get_token_accounts_by_owner(Keypair().pubkey(), TokenAccountOpts(mint=mint))).value == []
    request = {**CALL, "method": "getAccountInfo", "params": [str(mint), {"encoding": "jsonParsed"}]}
    mint_info = (await raw_call(chain.url, request))["result"]["value"]["data"]["parsed"]
    assert (mint_info["type"], mint_info["info"]["decimals"], mint_info["info"]["supply"]) == ("mint", 3, "1520")


async def test_accounts_in_each_form(chain: ChainClient, node: Node) -> None:
    tokens = Tokens(chain, node.rich)
    await tokens.make()
    rpc, mint, held = chain.rpc, tokens.mint.pubkey(), tokens.held.pubkey()
    for encoding in ("base64", "base58"):
        sliced = (await rpc.get_account_info(held, encoding=encoding, data_slice=DataSliceOpts(64, 8))).value
        assert sliced is not None
        assert bytes(sliced.data) == (1500).to_bytes(8, "little")
    accounts = (await rpc.get_multiple_accounts([held, Keypair().pubkey()])).value
    assert accounts[0] is not None
    assert (accounts[0].owner, len(accounts[0].data), accounts[0].executable) == (TOKEN_PROGRAM_ID, 165, False)
    assert accounts[1] is None
    filters: list[int | MemcmpOpts] = [165, MemcmpOpts(0, str(mint))]
    owned = (await rpc.get_program_accounts(TOKEN_PROGRAM_ID, encoding="base64", filters=filters)).value
    assert {keyed.pubkey for keyed in owned} == {held, tokens.other.pubkey()}
    filters.append(MemcmpOpts(32, str(tokens.user.pubkey())))
    owned = (await rpc.get_program_accounts(TOKEN_PROGRAM_ID, encoding="base64", filters=filters)).value
    assert [keyed.pubkey for keyed in owned] == [held]
    no_such_size: list[int | MemcmpOpts] = [166, MemcmpOpts(0, str(mint))]
    assert (await rpc.get_program_accounts(TOKEN_PROGRAM_ID, filters=no_such_size)).value == []
