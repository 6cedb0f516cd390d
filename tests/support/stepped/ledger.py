"""An embedded ledger in this process, on a clock that the test sets."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from solders.keypair import Keypair

from hub.chain.bootstrap import Bootstrap
from hub.chain.programs import PROGRAM_IDS, program_binary
from hub.clock import Clock
from hub.ledger.genesis import genesis_for
from hub.ledger.opening import Limits, open_chain
from hub.ledger.producer import Producer
from hub.ledger.rpc.server import RpcServer
from support.servers.ledger_site import served


@contextlib.asynccontextmanager
async def stepped_ledger(folder: Path, keys: Bootstrap, clock: Clock) -> AsyncIterator[str]:
    """The URL of a fresh ledger with the programs, which these keys can found."""
    folder.mkdir()
    programs = {key: program_binary(name) for name, key in PROGRAM_IDS.items()}
    chain = open_chain(folder / "ledger.sqlite", Keypair(), clock, lambda: (genesis_for(keys), programs), Limits())
    producer = Producer(chain)
    producing = asyncio.create_task(producer.run())
    try:
        async with served(RpcServer(chain, producer, faucet=True)) as url:
            yield url
    finally:
        producing.cancel()
        await asyncio.gather(producing, return_exceptions=True)
        chain.close()
