"""A chain in this process, without a server, on a clock that the test sets."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import uvicorn
from solders.keypair import Keypair
from solders.message import Message
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction

from hub.clock import Clock, ManualClock
from hub.ledger.chain import Chain
from hub.ledger.genesis import Genesis
from hub.ledger.opening import Limits, open_chain
from hub.ledger.recent import Commitment
from hub.ledger.rpc.server import RpcServer

AUTHORITY, RICH = Keypair.from_seed(bytes([1] * 32)), Keypair.from_seed(bytes([2] * 32))
"""The same in every process, so that one can go on with what another left."""
START_MS = 1_750_000_000_000
LAMPORTS = 10**7
STANDARD = Limits()


class Site:
    """A ledger file, opened as often as a test likes."""

    def __init__(self, path: Path, limits: Limits = STANDARD, now_ms: int = START_MS) -> None:
        self._path = path
        self._limits = limits
        self.clock = ManualClock(now_ms)
        self.chain = self.open()

    def open(self, clock: Clock | None = None, limits: Limits | None = None) -> Chain:
        genesis = Genesis(RICH.pubkey(), {RICH.pubkey(): 10**15})
        self.chain = open_chain(
            self._path, AUTHORITY, clock or self.clock, lambda: (genesis, {}), limits or self._limits
        )
        return self.chain

    def payment(self, to: Pubkey | None = None, lamports: int = LAMPORTS) -> VersionedTransaction:
        """Signed with the latest blockhash."""
        gift = TransferParams(from_pubkey=RICH.pubkey(), to_pubkey=to or Keypair().pubkey(), lamports=lamports)
        blockhash, _ = self.chain.latest_blockhash()
        return VersionedTransaction(Message.new_with_blockhash([transfer(gift)], RICH.pubkey(), blockhash), [RICH])

    def submit(self, transaction: VersionedTransaction) -> None:
        self.chain.check(transaction)
        self.chain.submit(transaction, bytes(transaction))

    def level(self, transaction: VersionedTransaction) -> Commitment | None:
        status = self.chain.statuses.get(transaction.signatures[0])
        return status.commitment if status else None

    def lamports(self, key: Pubkey, commitment: Commitment) -> int:
        account = self.chain.bank.read(key, self.chain.hidden_layers(commitment))
        return account.lamports if account else 0


@contextlib.asynccontextmanager
async def served(rpc: RpcServer) -> AsyncIterator[str]:
    """The ledger's HTTP side on a port of its own, in this process."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(rpc.app(), log_config=None, lifespan="off", ws="websockets-sansio"))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        await serving
