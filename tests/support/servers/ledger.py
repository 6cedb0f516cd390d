"""An embedded ledger in a process of its own, as `peerwatt-hub ledger` runs it; tests kill, restart and damage it."""

import io
import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import TextIO

from solders.keypair import Keypair

from hub.chain.bootstrap import Bootstrap
from hub.cli import EXIT_CONFIG, main
from hub.ledger.genesis import Genesis, genesis_for, write_genesis
from support.commands import run_hub, start
from support.servers.ledger_later import serve_ahead

RICH_LAMPORTS = 1_000_000 * 10**9


class LedgerProcess:
    """One ledger folder, started and stopped as often as a test likes."""

    def __init__(self, folder: Path, rich: Keypair) -> None:
        self.folder = folder
        self.rich = rich
        """Holds lamports from the genesis on, and may upgrade the programs."""
        self.url = self.ws_url = ""
        self._process: ForkServerProcess | None = None
        self._printed: TextIO = io.StringIO()

    def start(self, *flags: str, port: int = 0) -> str:
        """Starts it and waits until it is ready; the URL."""
        return self._start(main, [*self._command(port), "--faucet", *flags])

    def restart_ahead(self, ahead_s: int) -> None:
        """The same ledger at the same address, after a pause of so many seconds."""
        port = self.url.rsplit(":", 1)[1]
        self.kill()
        self._start(serve_ahead, self.folder, int(port), ahead_s)

    def _command(self, port: int) -> tuple[str, ...]:
        return "ledger", "--state", str(self.folder), "--port", str(port)

    def _start(self, work: Callable[..., int | None], *arguments: object) -> str:
        self._process, self._printed = start(work, *arguments, log=self.folder / "ledger.log")
        line = self._printed.readline()
        assert line, f"the ledger did not start: {self.log()}"
        ready = json.loads(line)
        self.url, self.ws_url = str(ready["url"]), str(ready["ws_url"])
        return self.url

    def refuse_to_start(self, *flags: str, port: int = 0) -> str:
        """Starts it, expects the exit code for what an operator must mend, and returns what it said."""
        result = run_hub(*self._command(port), *flags)
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
        if process is None or process.pid is None:
            return 0
        if process.exitcode is None:
            os.kill(process.pid, number)
        process.join(15)
        self._printed.close()
        assert process.exitcode is not None, "the ledger does not end"
        return process.exitcode


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
