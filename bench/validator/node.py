"""Runs Agave's `solana-test-validator` as a child process: on free loopback ports, with its own folder."""

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
"""Ports that it needs: RPC, WebSockets (always the next port), faucet, gossip; the others carry blocks and votes."""
_FIRST_PORT, _LAST_PORT = 10_000, 30_000


@dataclass(frozen=True)
class Validator:
    """A running validator."""

    url: str
    version: str
    start_s: float
    """Seconds from its start until it was healthy."""


@contextlib.contextmanager
def running_validator(program: Path, folder: Path, funded: Pubkey) -> Iterator[Validator]:
    """Runs a new chain in ``folder``; ``funded`` gets all its lamports but the faucet's.

    Raises:
        StageError: it ended, is not healthy after two minutes, or there are not enough free ports.
    """
    first_port = free_ports(PORTS)
    started = time.monotonic()
    log = folder / "validator.out"
    with log.open("w") as output:
        process = subprocess.Popen(
            arguments(program, folder / "ledger", funded, first_port), stdout=output, stderr=output
        )
    try:
        url = f"http://127.0.0.1:{first_port}"
        version = _await_health(url, process, started + START_S, log)
        yield Validator(url, version, time.monotonic() - started)
    finally:
        _end(process)


def arguments(program: Path, ledger: Path, funded: Pubkey, first_port: int) -> list[str]:
    """Returns its command line: loopback only, every feature on but the one that closes the loader."""
    rpc, faucet, gossip, dynamic = first_port, first_port + 2, first_port + 3, first_port + 4
    return [
        *(str(program), "--quiet", "--ledger", str(ledger), "--mint", str(funded), "--bind-address", "127.0.0.1"),
        *("--rpc-port", str(rpc), "--faucet-port", str(faucet), "--gossip-port", str(gossip)),
        *("--dynamic-port-range", f"{dynamic}-{first_port + PORTS - 1}", "--deactivate-feature", str(CLOSES_LOADER)),
    ]


def free_ports(count: int) -> int:
    """Returns the first of ``count`` consecutive free ports, below the system's ephemeral ports.

    Raises:
        StageError: a hundred random places have none.
    """
    for _ in range(100):
        first = _FIRST_PORT + secrets.randbelow(_LAST_PORT - _FIRST_PORT - count)
        if all(_is_free(first + offset) for offset in range(count)):
            return first
    raise StageError(f"There are no {count} free ports in a row on 127.0.0.1: stop what uses them")


def _is_free(port: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True


def _await_health(url: str, process: subprocess.Popen[bytes], deadline: float, log: Path) -> str:
    """Waits until the validator is healthy; returns its version."""
    with httpx.Client(timeout=5) as http:
        while time.monotonic() < deadline:
            if process.poll() is not None:
                break
            with contextlib.suppress(httpx.HTTPError, KeyError):
                if _ask(http, url, "getHealth") == "ok":
                    return str(_ask(http, url, "getVersion")["solana-core"])
            time.sleep(POLL_S)
    output = "\n".join(log.read_text().splitlines()[-20:])
    raise StageError(f"solana-test-validator does not answer on {url} (its exit code: {process.poll()}):\n{output}")


def _ask(http: httpx.Client, url: str, method: str) -> Any:
    return http.post(url, json={"jsonrpc": "2.0", "id": 1, "method": method}).json()["result"]


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
