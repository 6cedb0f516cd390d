"""Agave's `solana-test-validator` as a child process: free loopback ports, its own folder, ready when it answers."""

import contextlib
import secrets
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from solders.pubkey import Pubkey

from bench.validator import StageError
from hub.ledger.genesis import CLOSES_LOADER

START_S, STOP_S, POLL_S = 120, 30, 0.2
PORTS = 64
"""RPC, WebSockets (always the next port), faucet, gossip; the rest is for its blocks and votes."""
_FIRST_PORT, _LAST_PORT = 10_000, 30_000


@dataclass(frozen=True)
class Validator:
    """A running one."""

    url: str
    version: str
    start_s: float
    """From its start until it was healthy."""


@contextlib.contextmanager
def running_validator(program: Path, folder: Path, rich: Pubkey) -> Iterator[Validator]:
    """A new chain in ``folder``; ``rich`` holds all its lamports but the faucet's.

    Raises:
        StageError: it ended, or is not healthy after two minutes.
    """
    first = free_ports(PORTS)
    begun = time.monotonic()
    log = folder / "validator.out"
    with log.open("w") as output:
        process = subprocess.Popen(arguments(program, folder / "ledger", rich, first), stdout=output, stderr=output)
    try:
        url = f"http://127.0.0.1:{first}"
        version = _await_health(url, process, begun + START_S, log)
        yield Validator(url, version, time.monotonic() - begun)
    finally:
        _end(process)


def arguments(program: Path, ledger: Path, rich: Pubkey, first_port: int) -> list[str]:
    """Its command line: what a cluster does, on loopback alone; a test validator has every feature on by itself."""
    rpc, faucet, gossip, others = first_port, first_port + 2, first_port + 3, first_port + 4
    return [
        *(str(program), "--quiet", "--ledger", str(ledger), "--mint", str(rich), "--bind-address", "127.0.0.1"),
        *("--rpc-port", str(rpc), "--faucet-port", str(faucet), "--gossip-port", str(gossip)),
        *("--dynamic-port-range", f"{others}-{first_port + PORTS - 1}", "--deactivate-feature", str(CLOSES_LOADER)),
    ]


def free_ports(count: int) -> int:
    """The first of so many ports in a row that nobody uses, below those that the system hands out."""
    for _ in range(100):
        first = _FIRST_PORT + secrets.randbelow(_LAST_PORT - _FIRST_PORT - count)
        if all(_is_free(first + offset) for offset in range(count)):
            return first
    raise StageError(f"There are no {count} free ports in a row on 127.0.0.1: stop what uses them")


def _is_free(port: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as one:
            try:
                one.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True


def _await_health(url: str, process: subprocess.Popen[bytes], deadline: float, log: Path) -> str:
    """Its version, once it says that it is healthy."""
    with httpx.Client(timeout=5) as http:
        while time.monotonic() < deadline:
            if process.poll() is not None:
                break
            with contextlib.suppress(httpx.HTTPError, KeyError):
                if _ask(http, url, "getHealth") == "ok":
                    return str(_ask(http, url, "getVersion")["solana-core"])
            time.sleep(POLL_S)
    said = "\n".join(log.read_text().splitlines()[-20:])
    raise StageError(f"solana-test-validator does not answer on {url} (its exit code: {process.poll()}):\n{said}")


def _ask(http: httpx.Client, url: str, method: str) -> Any:
    return http.post(url, json={"jsonrpc": "2.0", "id": 1, "method": method}).json()["result"]


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
