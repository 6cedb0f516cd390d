"""Serves one ledger folder: locks and checks it, listens on loopback, and prints one JSON line when it is ready."""

import asyncio
import contextlib
import fcntl
import json
import signal
import socket
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import structlog
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

log = structlog.get_logger()

_MAX_CONNECTIONS = 256
_KEEP_ALIVE_S = 75
"""Longer than clients keep an idle connection (httpx: 5 s), so that none uses a connection that was just closed."""


@dataclass(frozen=True)
class ServeOptions:
    """What is served, and on which ports."""

    state: Path
    port: int
    ws_port: int | None = None
    """A second port, where Solana's clients expect WebSockets; None = ``port`` + 1, 0 = no second port."""
    origins: tuple[str, ...] = ()
    """Origins of web pages that may send requests."""
    faucet: bool = False
    limits: Limits = field(default_factory=Limits)


async def serve(options: ServeOptions, wall: Clock | None = None) -> None:
    """Serves the ledger in that folder until the process is told to stop; ``wall`` is the machine's clock by default.

    Raises:
        LedgerError: the folder can not be served; the message says what to do.
        LedgerInUseError: the port or the folder is taken.
    """
    state = options.state
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _folder_lock(state), _listener(options.port) as listener, _websocket_listener(options) as websocket_listener:
        chain = open_folder(state, GuardedClock(wall or SystemClock(), boottime_ms), options.limits)
        log.info("ledger checked", folder=str(state), block=chain.head.slot, transactions=chain.transaction_count)
        try:
            await _serve(chain, [listener, *websocket_listener], options)
        finally:
            chain.close()


def open_folder(state: Path, clock: GuardedClock, limits: Limits) -> Chain:
    """Opens and checks the ledger in a folder, or begins one with the folder's genesis."""
    authority = load_or_create(state / "authority.json")

    def genesis() -> tuple[Genesis, Mapping[Pubkey, bytes]]:
        content = read_genesis(state)
        return content, {key: program_binary(name) for name, key in PROGRAM_IDS.items() if content.programs}

    return open_chain(state / FILE_NAME, authority, clock, genesis, limits)


async def _serve(chain: Chain, listeners: list[socket.socket], options: ServeOptions) -> None:
    producer = Producer(chain)
    rpc = RpcServer(chain, producer, faucet=options.faucet, origins=options.origins)
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
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_number, lambda: setattr(server, "should_exit", True))
    addresses = ["{}:{}".format(*listener.getsockname()[:2]) for listener in listeners]
    print(json.dumps({"ready": True, "url": f"http://{addresses[0]}", "ws_url": f"ws://{addresses[-1]}"}), flush=True)
    tasks = [asyncio.create_task(producer.run()), asyncio.create_task(rpc.pubsub.registry.run())]
    serving = asyncio.create_task(server.serve(sockets=listeners))
    await asyncio.wait({*tasks, serving}, return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    await serving
    for task in tasks:
        task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.gather(*tasks)


class _QuietServer(uvicorn.Server):
    """A server that leaves signals to us; uvicorn raises them again after its end."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


@contextlib.contextmanager
def _folder_lock(state: Path) -> Iterator[None]:
    with (state / "lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise LedgerInUseError(f"A ledger already runs on {state}: stop it, or choose another --state") from error
        yield


@contextlib.contextmanager
def _websocket_listener(options: ServeOptions) -> Iterator[list[socket.socket]]:
    """Listens on the port where Solana's clients expect WebSockets; yields nothing when that port is taken."""
    wanted_port = options.ws_port
    if wanted_port == 0 or (wanted_port is None and options.port == 0):
        yield []
        return
    port = options.port + 1 if wanted_port is None else wanted_port
    with contextlib.ExitStack() as stack:
        try:
            listeners = [stack.enter_context(_listener(port))]
        except (LedgerInUseError, OverflowError):
            if wanted_port is not None:
                raise
            log.warning(
                "the port for WebSockets is taken: WebSockets are on the first port only", port=port, first=options.port
            )
            listeners = []
        yield listeners


@contextlib.contextmanager
def _listener(port: int) -> Iterator[socket.socket]:
    # asyncio turns Nagle's algorithm off only for sockets that name their protocol; it costs 40 ms per answer
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
