"""`peerwatt-hub ledger`: opens and checks the ledger's folder, listens on loopback, and says so in one JSON line."""

import argparse
import asyncio
import contextlib
import fcntl
import json
import logging
import os
import signal
import socket
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path

import uvicorn
from solders.pubkey import Pubkey

from hub.chain.ledger.chain import Chain
from hub.chain.ledger.errors import LedgerInUseError
from hub.chain.ledger.genesis import Genesis, read_genesis
from hub.chain.ledger.opening import open_chain
from hub.chain.ledger.producer import Producer
from hub.chain.ledger.server import RpcServer
from hub.chain.ledger.steady import GAP_FLAG, SteadyClock, boottime_ms
from hub.chain.programs import PROGRAM_IDS, program_binary
from hub.clock import Clock, SystemClock
from hub.keys import load_or_create
from hub.observability.logs import configure_logs

logger = logging.getLogger(__name__)

_MAX_CONNECTIONS = 256
_KEEP_ALIVE_S = 75
"""Longer than clients keep an idle connection (httpx: 5 s), so that none meets a connection that just closed."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's flags."""
    names = ("STATE", "PORT", "FAUCET", "MAX_MIB", "CLOCK_GAP_DAYS")
    state, port, faucet, most, gap = (os.environ.get(f"PEERWATT_LEDGER_{name}") for name in names)
    parser.add_argument(
        "--state",
        type=Path,
        metavar="DIR",
        required=state is None,
        default=state,
        help="folder of this ledger, made with mode 0700 (env: PEERWATT_LEDGER_STATE)",
    )
    parser.add_argument(
        "--port",
        type=int,
        default=port or "8899",
        help="loopback port, 0 = a free one (env: PEERWATT_LEDGER_PORT; default 8899)",
    )
    parser.add_argument(
        "--faucet",
        action="store_true",
        default=faucet == "1",
        help="answer requestAirdrop, for the demo and tests (env: PEERWATT_LEDGER_FAUCET=1)",
    )
    parser.add_argument(
        "--max-mib",
        type=int,
        metavar="MIB",
        default=most,
        help="refuse to grow beyond this size (env: PEERWATT_LEDGER_MAX_MIB; default no limit)",
    )
    parser.add_argument(
        GAP_FLAG,
        type=int,
        metavar="DAYS",
        default=gap or "0",
        help="accept a clock that is up to so many days after the last block, or with a minus sign behind it "
        "(env: PEERWATT_LEDGER_CLOCK_GAP_DAYS; always accepted: 30 days after, half a minute behind)",
    )


def run(args: argparse.Namespace) -> int:
    """Runs until SIGTERM or SIGINT.

    Raises:
        LedgerError: the folder, the genesis or the port is not good; the message says what to do.
    """
    configure_logs()
    gap_days = args.clock_gap_days
    asyncio.run(serve(args.state, args.port, faucet=args.faucet, max_mib=args.max_mib, gap_days=gap_days))
    return 0


async def serve(
    state: Path,
    port: int,
    *,
    faucet: bool = False,
    max_mib: int | None = None,
    gap_days: int = 0,
    wall: Clock | None = None,
) -> None:
    """Serves the ledger in that folder until the process is told to stop; ``wall`` is the machine's clock by default.

    Raises:
        LedgerError: the folder can not be served as it is.
        LedgerInUseError: the port or the folder is taken.
    """
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _only_one(state), _listener(port) as listener:
        chain = open_folder(state, SteadyClock(wall or SystemClock(), boottime_ms), max_mib, gap_days)
        logger.info("Checked %s: block %d, %d transactions", state, chain.head.slot, chain.transaction_count)
        try:
            await _serve(chain, listener, faucet=faucet)
        finally:
            chain.close()


def open_folder(state: Path, clock: SteadyClock, max_mib: int | None = None, gap_days: int = 0) -> Chain:
    """Opens (or begins) and checks the ledger in a folder."""
    authority = load_or_create(state / "authority.json")

    def genesis() -> tuple[Genesis, Mapping[Pubkey, bytes]]:
        return read_genesis(state), {key: program_binary(name) for name, key in PROGRAM_IDS.items()}

    return open_chain(state / "ledger.sqlite", authority, clock, genesis, max_mib, gap_days=gap_days)


async def _serve(chain: Chain, listener: socket.socket, *, faucet: bool) -> None:
    producer = Producer(chain)
    config = uvicorn.Config(
        RpcServer(chain, producer, faucet=faucet).app(),
        log_config=None,
        access_log=False,
        lifespan="off",
        limit_concurrency=_MAX_CONNECTIONS,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=2,
    )
    server = _QuietServer(config)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, lambda: setattr(server, "should_exit", True))
    host, port = listener.getsockname()[:2]
    print(json.dumps({"ready": True, "url": f"http://{host}:{port}"}), flush=True)
    blocks = asyncio.create_task(producer.run())
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    await asyncio.wait({blocks, serving}, return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    await serving
    blocks.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await blocks


class _QuietServer(uvicorn.Server):
    """uvicorn would take the signals and raise them again after its end; ours end the process in order."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


@contextlib.contextmanager
def _only_one(state: Path) -> Iterator[None]:
    with (state / "lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise LedgerInUseError(f"A ledger already runs on {state}: stop it, or choose another --state") from error
        yield


@contextlib.contextmanager
def _listener(port: int) -> Iterator[socket.socket]:
    # asyncio turns Nagle's delay off only for sockets that name their protocol: 40 ms an answer
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError as error:
            raise LedgerInUseError(
                f"Port {port} on 127.0.0.1 can not be used ({error.strerror}): choose another --port"
            ) from error
        listener.listen(128)
        yield listener
