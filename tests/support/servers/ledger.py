"""An embedded ledger in a process of its own, as `peerwatt-hub ledger` runs it; tests kill, restart and damage it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from solders.keypair import Keypair

from hub.chain.bootstrap import Bootstrap
from hub.cli import EXIT_CONFIG, main
from hub.ledger.genesis import Genesis, genesis_for, write_genesis

TESTS = Path(__file__).parents[2]
RICH_LAMPORTS = 1_000_000 * 10**9


class LedgerProcess:
    """One ledger folder, started and stopped as often as a test likes."""

    def __init__(self, folder: Path, rich: Keypair) -> None:
        self.folder = folder
        self.rich = rich
        """Holds lamports from the genesis on, and may upgrade the programs."""
        self.url = self.ws_url = ""
        self._process: subprocess.Popen[str] | None = None

    def start(self, *flags: str, port: int = 0) -> str:
        """Starts it and waits until it is ready; the URL."""
        command = [sys.executable, "-m", "hub.cli", "ledger", "--state", str(self.folder), "--port", str(port)]
        return self._start([*command, "--faucet", *flags])

    def restart_ahead(self, ahead_s: int) -> None:
        """The same ledger at the same address, after a pause of so many seconds."""
        port = self.url.rsplit(":", 1)[1]
        self.kill()
        self._start([sys.executable, "-m", "support.servers.ledger_later", str(self.folder), port, str(ahead_s)])

    def _start(self, command: Sequence[str]) -> str:
        log = (self.folder / "ledger.log").open("a")
        with log:
            self._process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=log, text=True, env={**os.environ, "PYTHONPATH": str(TESTS)}
            )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, f"the ledger did not start: {self.log()}"
        ready = json.loads(line)
        self.url, self.ws_url = str(ready["url"]), str(ready["ws_url"])
        return self.url

    def refuse_to_start(self, *flags: str, port: int = 0) -> str:
        """Starts it, expects the exit code for what an operator must mend, and returns what it said."""
        command = [sys.executable, "-m", "hub.cli", "ledger", "--state", str(self.folder), "--port", str(port)]
        result = subprocess.run([*command, *flags], capture_output=True, text=True, timeout=30, check=False)
        assert result.returncode == EXIT_CONFIG, (result.returncode, result.stderr)
        assert result.stdout == ""
        return result.stderr

    def verify(self) -> None:
        """Whatever tests did on it, programs and all, follows from its log when that is run again."""
        assert main(["ledger", "verify", str(self.folder)]) == 0

    def log(self) -> str:
        return (self.folder / "ledger.log").read_text()

    def kill(self) -> None:
        """kill -9."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        return self._end(signal.SIGTERM)

    def _end(self, number: int) -> int:
        process, self._process = self._process, None
        if process is None:
            return 0
        process.send_signal(number)
        code = process.wait(15)
        if process.stdout:
            process.stdout.close()
        return code


@contextmanager
def running_ledger(folder: Path, keys: Bootstrap) -> Iterator[LedgerProcess]:
    """A fresh ledger that these keys can found."""
    write_genesis(folder, genesis_for(keys))
    ledger = LedgerProcess(folder, keys.fee_payer)
    try:
        ledger.start()
        yield ledger
    finally:
        ledger.kill()


@contextmanager
def new_ledger(folder: Path, *flags: str) -> Iterator[LedgerProcess]:
    """A fresh ledger, running."""
    rich = Keypair()
    write_genesis(folder, Genesis(rich.pubkey(), {rich.pubkey(): RICH_LAMPORTS}))
    ledger = LedgerProcess(folder, rich)
    ledger.start(*flags)
    try:
        yield ledger
    finally:
        ledger.kill()
