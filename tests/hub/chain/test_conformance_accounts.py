"""Accounts and tokens as every Solana node tells them, in each form; on the nodes of test_conformance.py."""

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
    assert [(one.address, one.amount.amount) for one in largest] == [
        (held, "1500"),
        (tokens.other.pubkey(), "20"),
    ]
    for choice in (TokenAccountOpts(mint=mint), TokenAccountOpts(program_id=TOKEN_PROGRAM_ID)):
        plain = (await rpc.get_token_accounts_by_owner(tokens.user.pubkey(), choice)).value
        assert [one.pubkey for one in plain] == [held]
        assert bytes(plain[0].account.data[:32]) == bytes(mint)
        parsed = (await rpc.get_token_accounts_by_owner_json_parsed(tokens.user.pubkey(), choice)).value
        info: Any = parsed[0].account.data.parsed["info"]
        assert (parsed[0].account.data.program, info["owner"]) == ("spl-token", str(tokens.user.pubkey()))
        assert info["tokenAmount"]["uiAmountString"] == "1.5"
        assert info["delegatedAmount"]["amount"] == "7"
        lent = (await rpc.get_token_accounts_by_delegate(tokens.delegate, choice)).value
        assert [one.pubkey for one in lent] == [held]
    assert (await rpc.get_token_accounts_by_owner(Keypair().pubkey(), TokenAccountOpts(mint=mint))).value == []
    asked = {**CALL, "method": "getAccountInfo", "params": [str(mint), {"encoding": "jsonParsed"}]}
    about = (await raw_call(chain.url, asked))["result"]["value"]["data"]["parsed"]
    assert (about["type"], about["info"]["decimals"], about["info"]["supply"]) == ("mint", 3, "1520")


async def test_accounts_in_each_form(chain: ChainClient, node: Node) -> None:
    tokens = Tokens(chain, node.rich)
    await tokens.make()
    rpc, mint, held = chain.rpc, tokens.mint.pubkey(), tokens.held.pubkey()
    for encoding in ("base64", "base58"):
        part = (await rpc.get_account_info(held, encoding=encoding, data_slice=DataSliceOpts(64, 8))).value
        assert part is not None
        assert bytes(part.data) == (1500).to_bytes(8, "little")
    both = (await rpc.get_multiple_accounts([held, Keypair().pubkey()])).value
    assert both[0] is not None
    assert (both[0].owner, len(both[0].data), both[0].executable) == (TOKEN_PROGRAM_ID, 165, False)
    assert both[1] is None
    filters: list[int | MemcmpOpts] = [165, MemcmpOpts(0, str(mint))]
    owned = (await rpc.get_program_accounts(TOKEN_PROGRAM_ID, encoding="base64", filters=filters)).value
    assert {one.pubkey for one in owned} == {held, tokens.other.pubkey()}
    filters.append(MemcmpOpts(32, str(tokens.user.pubkey())))
    owned = (await rpc.get_program_accounts(TOKEN_PROGRAM_ID, encoding="base64", filters=filters)).value
    assert [one.pubkey for one in owned] == [held]
    never: list[int | MemcmpOpts] = [166, MemcmpOpts(0, str(mint))]
    assert (await rpc.get_program_accounts(TOKEN_PROGRAM_ID, filters=never)).value == []
