"""The client: compute limits, signatures that are known before sending, waiting, and errors that say what happened."""

import asyncio
from dataclasses import replace

import pytest
from solders.hash import Hash
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer

from hub.chain.accounts import AccountMismatchError, decode
from hub.chain.client import ChainClient
from hub.chain.errors import (
    AlreadyProcessedError,
    BlockhashExpiredError,
    ChainRefusedError,
    ChainUnreachableError,
    NotYetFinalError,
    TransactionFailedError,
)
from hub.chain.instructions import trading
from hub.chain.transactions import Blockhash, SignedTransaction, sign
from hub.settlement.planner import BATCH_LINES
from support.servers.ledger import LedgerProcess


def gift(payer: Keypair, lamports: int = 10**7) -> Instruction:
    return transfer(TransferParams(from_pubkey=payer.pubkey(), to_pubkey=Keypair().pubkey(), lamports=lamports))


async def test_the_signature_is_known_before_sending(chain: ChainClient, shared_ledger: LedgerProcess) -> None:
    signed = await chain.prepare([gift(shared_ledger.rich)], [shared_ledger.rich])
    assert await chain.statuses([signed.signature]) == [None]
    assert await chain.send(signed) == signed.signature
    status = await chain.wait(signed)
    assert (status.level, status.error) == ("finalized", None)
    assert status.reached("confirmed")
    assert 150 < signed.compute_limit < 2000
    assert any("success" in line for line in await chain.logs(signed.signature))


async def test_sending_again_is_harmless(chain: ChainClient, shared_ledger: LedgerProcess) -> None:
    signed = await chain.prepare([gift(shared_ledger.rich)], [shared_ledger.rich])
    await chain.send(signed)
    with pytest.raises(AlreadyProcessedError):
        await chain.send(signed)
    await chain.send(signed, preflight=False)
    assert (await chain.wait(signed)).error is None


async def test_what_can_not_succeed_is_not_sent(chain: ChainClient, shared_ledger: LedgerProcess) -> None:
    with pytest.raises(TransactionFailedError, match="Custom") as caught:
        await chain.prepare([gift(shared_ledger.rich, 10**18)], [shared_ledger.rich])
    assert any("insufficient lamports" in line for line in caught.value.logs)
    poor = Keypair()
    with pytest.raises(TransactionFailedError, match="AccountNotFound"):
        await chain.prepare([gift(poor)], [poor])
    with pytest.raises(ValueError, match=f"signed by {poor.pubkey()}, "):
        await chain.prepare([gift(shared_ledger.rich)], [poor])


async def test_a_full_batch_of_lines_fits_a_packet(chain: ChainClient) -> None:
    payer, settler = Keypair(), Keypair()

    def settle(count: int) -> SignedTransaction:
        lines = [trading.Line(Pubkey.new_unique(), 1, 2, 3, 4) for _ in range(count)]
        instruction = trading.settle(settler.pubkey(), 900, 0, lines)
        return sign([instruction], [payer, settler], Blockhash(Hash.new_unique(), 0), 200_000)

    assert len(settle(BATCH_LINES).raw) <= 1232
    with pytest.raises(ValueError, match="put less into it"):
        settle(BATCH_LINES + 1)


async def test_waiting_ends(chain: ChainClient, shared_ledger: LedgerProcess) -> None:
    signed = await chain.prepare([gift(shared_ledger.rich)], [shared_ledger.rich])
    with pytest.raises(NotYetFinalError, match="ask again"):
        await chain.wait(signed, timeout_s=0.2)
    with pytest.raises(BlockhashExpiredError, match="did not land"):
        await chain.wait(replace(signed, last_valid_height=0), timeout_s=5)
    old = sign([gift(shared_ledger.rich)], [shared_ledger.rich], Blockhash(Hash.new_unique(), 0), 1000)
    with pytest.raises(BlockhashExpiredError):
        await chain.send(old)


async def test_a_silent_or_strange_node_is_unreachable(chain: ChainClient) -> None:
    async def garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10_000)
        answer = answers.pop(0)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b" % (len(answer), answer))
        writer.close()
        await writer.wait_closed()

    answers = [b"<html>", b'{"jsonrpc":"2.0","id":0,"error":{"code":-32005,"message":"x"}}', b'{"jsonrpc":"2.0"}']
    server = await asyncio.start_server(garbage, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, ChainClient(f"http://127.0.0.1:{port}") as strange:
        for _ in range(3):
            with pytest.raises(ChainUnreachableError, match="not as a Solana RPC node"):
                await strange.block_height()
    async with ChainClient(f"http://127.0.0.1:{port}", timeout_s=2) as silent:
        with pytest.raises(ChainUnreachableError, match="does not answer"):
            await silent.block_height()


async def test_a_refused_request_says_so(chain: ChainClient) -> None:
    with pytest.raises(ChainRefusedError, match="could not find account"):
        await chain.token_balance(Keypair().pubkey())
    with pytest.raises(ChainRefusedError, match="at most 1232"):
        await chain.send(SignedTransaction(Hash.default(), bytes(1300), 0, 0))  # type: ignore[arg-type]


async def test_accounts_of_another_kind_are_refused(chain: ChainClient) -> None:
    assert await chain.account("registry", "Meter", Pubkey.new_unique()) is None
    with pytest.raises(AccountMismatchError, match=r"registry\.Meter"):
        decode("registry", "Meter", bytes(200))


@pytest.fixture
async def many_accounts(chain: ChainClient, shared_ledger: LedgerProcess) -> list[Pubkey]:
    keys = [Keypair().pubkey() for _ in range(230)]
    gifts = [
        transfer(TransferParams(from_pubkey=shared_ledger.rich.pubkey(), to_pubkey=key, lamports=10**7)) for key in keys
    ]
    batches = [gifts[first : first + 20] for first in range(0, len(gifts), 20)]
    await asyncio.gather(*[chain.run(batch, [shared_ledger.rich], until="confirmed") for batch in batches])
    return keys


async def test_more_accounts_than_one_call_takes(chain: ChainClient, many_accounts: list[Pubkey]) -> None:
    accounts = await chain.raw_accounts([*many_accounts, Pubkey.new_unique()])
    assert [account.lamports if account else None for account in accounts] == [10**7] * 230 + [None]
