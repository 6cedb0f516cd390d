"""A gateway under test: an enrolled state folder, the agent as a process, and the hub's end of its connection."""

import asyncio
import contextlib
import json
import os
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nacl.signing import SigningKey
from nats.aio.client import Client

import edge.cli
from edge.agent import Agent
from edge.fleet import build_fleet
from edge.keystore import load_frame_key, load_nats_key, make_keys
from edge.runtime.clock import Clock, SystemClock
from edge.settings import load_settings
from edge.uplink.credentials import Credentials
from edge.uplink.identity import Identity
from edge.wire import receipts, subjects
from edge.wire.frames import Frame, decode_frame, verify_signature
from edge.wire.kinds import Reading, Record
from edge.wire.ranges import ranges_of
from edge.wire.records import decode_record
from support.commands import run
from support.servers.nats import HubNats
from support.waiting import PATIENCE_S

AGENT = Path(sys.executable).with_name("peerwatt-edge")
RECEIPT_KEY = SigningKey(bytes(range(32)))


@dataclass
class Gateway:
    """A gateway's folder with configuration and state, and the commands on it."""

    gateway_id: str
    folder: Path
    meters: Sequence[Mapping[str, Any]]
    mqtt: Mapping[str, Any] | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def config(self) -> Path:
        return self.folder / "edge.toml"

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def public_key(self) -> bytes:
        return bytes(load_frame_key(self.state / "keys").verify_key)

    def write_config(self) -> None:
        """Writes edge.toml: values as JSON, which is TOML for what is used here."""
        settings = {
            "gateway_id": self.gateway_id,
            "state_dir": str(self.state),
            "poll_period_s": 1,
            "seal_interval_s": 1,
        }
        lines = [f"{name} = {json.dumps(value)}" for name, value in {**settings, **self.extra}.items()]
        lines += ["[hub]", 'url = "https://127.0.0.1:1"', f'ca_file = "{self.folder / "ca.pem"}"']
        if self.mqtt:
            lines += ["[mqtt]", *(f"{name} = {json.dumps(value)}" for name, value in self.mqtt.items())]
        for meter in self.meters:
            lines += ["[[meter]]", *(f"{name} = {json.dumps(value)}" for name, value in meter.items())]
        self.config.write_text("\n".join(lines) + "\n")

    def enrol(self, hub: HubNats) -> None:
        """Gives the gateway its keys and the identity that the hub would have answered with."""
        self.state.mkdir(mode=0o700, exist_ok=True)
        make_keys(self.state / "keys")
        nats_key = bytes(load_nats_key(self.state / "keys").public_key).decode()
        jwt = hub.issuer.issue(self.gateway_id, nats_key, SystemClock().now_ms() // 1000)
        ca_pem, receipt_key = hub.ca_file.read_text(), bytes(RECEIPT_KEY.verify_key).hex()
        Identity(self.gateway_id, "", hub.url, jwt, ca_pem, receipt_key).save(self.state)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Running"]:
        """The agent as a process; at the end it is stopped with SIGTERM, unless it is gone already."""
        log = self.folder / f"agent-{len(list(self.folder.glob('agent-*.log')))}.log"
        with log.open("wb") as sink:
            process = await asyncio.create_subprocess_exec(AGENT, "run", "--config", self.config, stderr=sink)
        running = Running(self, process, log)
        try:
            await running.wait_for_line("ready")
            yield running
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
                try:
                    async with asyncio.timeout(PATIENCE_S):
                        await process.wait()
                except TimeoutError:
                    process.kill()
                    raise

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Returns the rows of a query on the ledger."""
        with contextlib.closing(sqlite3.connect(f"file:{self.state / 'ledger.sqlite'}?mode=ro", uri=True)) as db:
            return list(db.execute(sql))

    def run(self, *arguments: str | Path) -> "CommandResult":
        """Runs a `peerwatt-edge` command to its end."""
        completed = run(edge.cli.main, [str(argument) for argument in arguments], env=os.environ)
        return CommandResult(completed.returncode, completed.stdout, completed.stderr)


def modbus_gateway(gateway_id: str, folder: Path, ports: Mapping[str, int], **extra: object) -> Gateway:
    """Returns a gateway with its configuration written: each meter ID is an SDM630 at its port on this machine."""
    folder.mkdir(exist_ok=True)
    meters = [
        {"id": meter_id, "profile": "sdm630", "url": f"tcp://127.0.0.1:{port}?device=1"}
        for meter_id, port in ports.items()
    ]
    gateway = Gateway(gateway_id, folder, meters, extra={"heartbeat_s": 1, **extra})
    gateway.write_config()
    return gateway


def complete(readings: list[Reading]) -> bool:
    """True when no sequence of a meter is missing."""
    by_meter: dict[int, list[int]] = {}
    for reading in readings:
        by_meter.setdefault(reading.meter_index, []).append(reading.sequence)
    return all(sorted(sequences) == list(range(1, len(sequences) + 1)) for sequences in by_meter.values())


def agent_in_process(gateway: Gateway, clock: Clock | None = None) -> Agent:
    """Returns the gateway's agent, not running yet, in this process."""
    settings = load_settings(gateway.config)
    return Agent(settings, build_fleet(settings), Credentials.load(settings), clock or SystemClock())


@dataclass(frozen=True)
class CommandResult:
    """Exit code and output of a command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        return dict(json.loads(self.out))


@dataclass
class Running:
    """The agent's process."""

    gateway: Gateway
    process: asyncio.subprocess.Process
    log: Path

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]

    async def wait_for_line(self, event: str, *, times: int = 1, seconds: float = PATIENCE_S) -> dict[str, Any]:
        """Waits for the log line with this event; returns it."""
        deadline = asyncio.get_running_loop().time() + seconds
        while True:
            matching = [line for line in self.lines() if line["event"] == event]
            if len(matching) >= times:
                return matching[times - 1]
            assert self.process.returncode is None, self.log.read_text()
            assert asyncio.get_running_loop().time() < deadline, f"no line {event}:\n{self.log.read_text()}"
            await asyncio.sleep(0.02)

    async def kill(self) -> None:
        """Sends SIGKILL, as a power cut would end it."""
        self.process.kill()
        await self.process.wait()

    @property
    def rss_kib(self) -> int:
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(text.split("VmRSS:")[1].split()[0])


@dataclass
class HubSide:
    """Receives frames from the stream as the hub does: verifies, keeps and receipts them."""

    client: Client
    gateway_id: str
    public_key: bytes
    frames: dict[tuple[bytes, int], Frame] = field(default_factory=dict)
    messages: int = 0
    receipts_on: bool = True

    @property
    def records(self) -> list[Record]:
        return [decode_record(record) for frame in self.frames.values() for record in frame.records]

    def of(self, kind: type) -> list[Any]:
        return [record for record in self.records if isinstance(record, kind)]

    async def run(self) -> None:
        js = self.client.jetstream()
        subscription = await js.pull_subscribe(
            subjects.frame_subject(self.gateway_id), f"test-{self.gateway_id}", subjects.FRAMES_STREAM
        )
        while True:
            try:
                batch = await subscription.fetch(32, timeout=1)
            except TimeoutError:
                continue
            for message in batch:
                await self._take(message.data)
                await message.ack()

    async def _take(self, data: bytes) -> None:
        frame = decode_frame(data)
        verify_signature(frame, self.public_key)
        key = frame.header.boot_id, frame.header.sequence
        assert self.frames.setdefault(key, frame).header_hash == frame.header_hash
        self.messages += 1
        if self.receipts_on:
            await self.receipt()

    async def receipt(self) -> None:
        """Sends a receipt of all frames that are kept."""
        stored: dict[bytes, list[tuple[int, int]]] = {}
        for boot_id, sequence in sorted(self.frames):
            stored.setdefault(boot_id, []).append((sequence, sequence))
        stored = {boot_id: ranges_of(first for first, _ in pairs) for boot_id, pairs in stored.items()}
        receipt = receipts.Receipt(self.gateway_id, SystemClock().now_ms(), stored)
        await self.client.publish(
            subjects.receipt_subject(self.gateway_id), receipts.sign_receipt(receipt, RECEIPT_KEY)
        )


@contextlib.asynccontextmanager
async def hub_side(hub: HubNats, gateway: Gateway) -> AsyncIterator[HubSide]:
    """Runs the hub's end of the connection for this gateway."""
    async with hub.as_hub() as client:
        side = HubSide(client, gateway.gateway_id, gateway.public_key)
        task = asyncio.create_task(side.run())
        try:
            yield side
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


def environment(**values: str) -> dict[str, str]:
    """Returns this process's environment with more values."""
    return {**os.environ, **values}
