"""Serves one ledger folder: locks it, checks it, listens on loopback, and says in one JSON line when it is ready."""

import asyncio
import contextlib
import fcntl
import json
import logging
import signal
import socket
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import uvicorn
from solders.pubkey import Pubkey

from hub.chain.programs import PROGRAM_IDS, program_binary
from hub.clock import Clock, SystemClock
from hub.keys import load_or_create
from hub.ledger.chain import Chain
from hub.ledger.errors import LedgerInUseError
from hub.ledger.genesis import Genesis, read_genesis
from hub.ledger.guarded_clock import GuardedClock, boottime_ms
from hub.ledger.opening import Limits, open_chain
from hub.ledger.producer import Producer
from hub.ledger.rpc.server import RpcServer
from hub.ledger.rpc.websocket import MAX_MESSAGE_BYTES
from hub.ledger.store.log_source import FILE_NAME

logger = logging.getLogger(__name__)

_MAX_CONNECTIONS = 256
_KEEP_ALIVE_S = 75
"""Longer than clients keep an idle connection (httpx: 5 s), so that none meets a connection that just closed."""


@dataclass(frozen=True)
class Service:
    """What is served, and to whom."""

    state: Path
    port: int
    ws_port: int | None = None
    """A second port, where Solana's clients expect WebSockets; None = the one after ``port``, 0 = none."""
    origins: tuple[str, ...] = ()
    """Of browser pages that may ask."""
    faucet: bool = False
    limits: Limits = field(default_factory=Limits)


async def serve(service: Service, wall: Clock | None = None) -> None:
    """Serves the ledger in that folder until the process is told to stop; ``wall`` is the machine's clock by default.

    Raises:
        LedgerError: the folder can not be served as it is.
        LedgerInUseError: the port or the folder is taken.
    """
    state = service.state
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _only_one(state), _listener(service.port) as listener, _second(service) as second:
        chain = open_folder(state, GuardedClock(wall or SystemClock(), boottime_ms), service.limits)
        logger.info("Checked %s: block %d, %d transactions", state, chain.head.slot, chain.transaction_count)
        try:
            await _serve(chain, [listener, *second], service)
        finally:
            chain.close()


def open_folder(state: Path, clock: GuardedClock, limits: Limits) -> Chain:
    """Opens (or begins) and checks the ledger in a folder."""
    authority = load_or_create(state / "authority.json")

    def genesis() -> tuple[Genesis, Mapping[Pubkey, bytes]]:
        found = read_genesis(state)
        return found, {key: program_binary(name) for name, key in PROGRAM_IDS.items() if found.programs}

    return open_chain(state / FILE_NAME, authority, clock, genesis, limits)


async def _serve(chain: Chain, listeners: list[socket.socket], service: Service) -> None:
    producer = Producer(chain)
    rpc = RpcServer(chain, producer, faucet=service.faucet, origins=service.origins)
    config = uvicorn.Config(
        rpc.app(),
        log_config=None,
        access_log=False,
        lifespan="off",
        limit_concurrency=_MAX_CONNECTIONS,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=2,
        ws="websockets-sansio",
        ws_max_size=MAX_MESSAGE_BYTES,
    )
    server = _QuietServer(config)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, lambda: setattr(server, "should_exit", True))
    places = ["{}:{}".format(*listener.getsockname()[:2]) for listener in listeners]
    print(json.dumps({"ready": True, "url": f"http://{places[0]}", "ws_url": f"ws://{places[-1]}"}), flush=True)
    rounds = [asyncio.create_task(producer.run()), asyncio.create_task(rpc.pubsub.registry.run())]
    serving = asyncio.create_task(server.serve(sockets=listeners))
    await asyncio.wait({*rounds, serving}, return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    await serving
    for one in rounds:
        one.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.gather(*rounds)


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
def _second(service: Service) -> Iterator[list[socket.socket]]:
    """The port after the first, where Solana's clients look for WebSockets; without it they are on the first alone."""
    asked = service.ws_port
    if asked == 0 or (asked is None and service.port == 0):
        yield []
        return
    port = service.port + 1 if asked is None else asked
    with contextlib.ExitStack() as stack:
        try:
            found = [stack.enter_context(_listener(port))]
        except (LedgerInUseError, OverflowError):
            if asked is not None:
                raise
            logger.warning("Port %d is taken: WebSockets are on port %d only", port, service.port)
            found = []
        yield found


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
