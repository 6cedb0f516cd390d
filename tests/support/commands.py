"""Runs our programs in processes that are forked from one that has imported them: none pays for Python's start.

They are processes like any other: with their own environment, standard streams, exit code and signals.
"""

import multiprocessing
import os
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from subprocess import CompletedProcess, TimeoutExpired
from typing import NoReturn, TextIO

import hub.cli
from support.waiting import PATIENCE_S

processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload([
    "edge.commands", "hub.api.serve", "hub.chain.command", "hub.demo.command", "hub.ledger.command",
    "hub.operations.doctor", "hub.operations.trace", "hub.worker.command", "support.commands",
    "support.servers.ledger_crash", "support.servers.ledger_later", "support.settlement.killed",
])  # fmt: skip
"""The fork server is one for all of a test process, and imports this once."""
COVERAGE_CONTEXT = "PEERWATT_COVERAGE_CONTEXT"


def run_hub(
    *arguments: str | Path, env: Mapping[str, str] | None = None, seconds: float = PATIENCE_S
) -> CompletedProcess[str]:
    """Runs a `peerwatt-hub` command to its end, without PEERWATT_ variables other than those in ``env``.

    Raises:
        AssertionError: it printed a traceback.
        TimeoutExpired: it still ran after ``seconds``, and is killed.
    """
    result = run(hub.cli.main, [str(argument) for argument in arguments], env=env, seconds=seconds)
    assert "Traceback" not in result.stderr + result.stdout, result.stderr
    return result


@dataclass(frozen=True)
class _Job:
    """What a forked process does, and its environment."""

    work: Callable[..., int | None]
    arguments: Sequence[object]
    env: Mapping[str, str]
    context: str = field(default_factory=lambda: os.environ.get(COVERAGE_CONTEXT, ""))

    def run(self, out: int, errors: int) -> NoReturn:
        """Does it with these two files, by number, for its output; ends the process."""
        os.dup2(out, 1)
        os.dup2(errors, 2)
        os.environ.clear()
        os.environ.update(self.env)
        _measure_for(self.context)
        sys.exit(self.work(*self.arguments))


def run(
    work: Callable[..., int | None],
    *arguments: object,
    env: Mapping[str, str] | None = None,
    seconds: float = PATIENCE_S,
) -> CompletedProcess[str]:
    """Runs ``work``, such as a program's ``main``, to its end, without PEERWATT_ variables other than those in ``env``.

    Raises:
        TimeoutExpired: it still ran after ``seconds``, and is killed.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PEERWATT_")}
    job = _Job(work, arguments, {**inherited, **(env or {})})
    with tempfile.NamedTemporaryFile("r") as out, tempfile.NamedTemporaryFile("r") as errors:
        process = processes.Process(target=_run_into, args=(job, out.name, errors.name))
        process.start()
        process.join(seconds)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise TimeoutExpired(str(arguments), seconds, out.read(), errors.read())
        return CompletedProcess(str(arguments), process.exitcode, out.read(), errors.read())


def start(work: Callable[..., int | None], *arguments: object, log: Path) -> tuple[ForkServerProcess, TextIO]:
    """Starts ``work``, such as a program's ``main``; returns its process and what it prints.

    Its stderr is added to ``log``.
    """
    reader, writer = processes.Pipe(duplex=False)
    process = processes.Process(target=_serve, args=(_Job(work, arguments, dict(os.environ)), writer, log))
    process.start()
    writer.close()
    printed = os.fdopen(os.dup(reader.fileno()))
    reader.close()
    return process, printed


def _run_into(job: _Job, out: str, errors: str) -> None:
    with Path(out).open("w") as out_file, Path(errors).open("w") as errors_file:
        job.run(out_file.fileno(), errors_file.fileno())


def _serve(job: _Job, writer: Connection, log: Path) -> None:
    with writer, log.open("a") as log_file:
        job.run(writer.fileno(), log_file.fileno())


def _measure_for(context: str) -> None:
    """Says whose test this is, where coverage is measured."""
    if "coverage" in sys.modules:
        measured = sys.modules["coverage"].Coverage.current()
        if measured is not None:
            measured.switch_context(context)
