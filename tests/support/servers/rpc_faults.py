"""The faults of a ``FaultyNode``: what an RPC node can do wrong; each happens ``times`` times."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from support.servers.faulty_node import Call, Reply, Result

SEND, STATUSES, FEES = "sendTransaction", "getSignatureStatuses", "getRecentPrioritizationFees"
ACCOUNTS, SIMULATE = "getMultipleAccounts", "simulateTransaction"
HEIGHTS = ("getEpochInfo", "getBlockHeight", "getSlot")


@dataclass
class Fault:
    """Base class: ``times`` says how often the fault still happens."""

    times: int = 10**9

    def _happens(self) -> bool:
        self.times -= 1
        return self.times >= 0


@dataclass
class Refuses(Fault):
    """HTTP 429, 500 and the like, on every method or on one."""

    status: int = 500
    headers: str = ""
    body: bytes = b""
    method: str | None = None

    async def __call__(self, call: Call) -> Reply | None:
        if self.method not in (None, call.method) or not self._happens():
            return None
        return Reply(self.status, self.body, self.headers)


@dataclass
class Hangs(Fault):
    """Takes the call and never answers."""

    async def __call__(self, _: Call) -> None:
        if self._happens():
            await asyncio.Event().wait()


@dataclass
class Drops(Fault):
    """Accepts a transaction and does nothing with it."""

    signatures: list[str] = field(default_factory=list)

    async def __call__(self, call: Call) -> Result | None:
        if call.method != SEND or not self._happens():
            return None
        self.signatures.append(call.signature())
        return call.answer(call.signature())


@dataclass
class Doubles(Fault):
    """Passes a transaction on twice."""

    async def __call__(self, call: Call) -> Result | None:
        if call.method != SEND or not self._happens():
            return None
        await call.on()
        answer: Result = await call.on()
        return answer


@dataclass
class Holds(Fault):
    """Accepts a transaction and keeps it until ``release``."""

    held: list[Call] = field(default_factory=list)
    holding: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, call: Call) -> Result | None:
        if call.method != SEND or not self._happens():
            return None
        self.held.append(call)
        self.holding.set()
        return call.answer(call.signature())

    async def release(self) -> None:
        """Sends all of them, late."""
        for call in self.held:
            await call.on()


@dataclass
class Lags(Fault):
    """Answers as a node that is ``slots`` slots behind: lower heights, and no transaction known."""

    slots: int = 400

    async def __call__(self, call: Call) -> Result | None:
        if call.method not in (STATUSES, *HEIGHTS) or not self._happens():
            return None
        answer = dict(await call.on())
        if call.method == STATUSES:
            value = answer["result"]
            old = {**value["context"], "slot": max(0, value["context"]["slot"] - self.slots)}
            return {**answer, "result": {"context": old, "value": [None] * len(value["value"])}}
        return {**answer, "result": _older(answer["result"], self.slots)}


def _older(value: Any, slots: int) -> Any:
    if isinstance(value, int):
        return max(0, value - slots)
    return {**value, **{name: max(0, value[name] - slots) for name in ("absoluteSlot", "blockHeight")}}


@dataclass
class ForgetsWhatItKnows(Fault):
    """Answers statuses as a machine that lags behind the same URL, and heights as one that does not."""

    slots: int = 400

    async def __call__(self, call: Call) -> Result | None:
        if call.method != STATUSES:
            return None
        return await Lags(self.times, self.slots)(call) if self._happens() else None


@dataclass
class Races(Fault):
    """Claims heights far ahead and knows no transaction, as if everything had expired."""

    heights: int = 10_000

    async def __call__(self, call: Call) -> Result | None:
        if call.method == STATUSES:
            answer = dict(await call.on())
            context = {**answer["result"]["context"], "slot": answer["result"]["context"]["slot"] + self.heights}
            return {**answer, "result": {"context": context, "value": [None] * len(answer["result"]["value"])}}
        if call.method in HEIGHTS:
            answer = dict(await call.on())
            return {**answer, "result": _older(answer["result"], -self.heights)}
        return None


@dataclass
class Claims(Fault):
    """Claims of every transaction that it is in a block."""

    level: str = "finalized"
    slot: int = 7
    error: Any = None

    async def __call__(self, call: Call) -> Result | None:
        if call.method != STATUSES or not self._happens():
            return None
        answer = dict(await call.on())
        outcome = {"Ok": None} if self.error is None else {"Err": self.error}
        status = {
            "slot": self.slot,
            "confirmations": None,
            "err": self.error,
            "status": outcome,
            "confirmationStatus": self.level,
        }
        count = len(answer["result"]["value"])
        return {**answer, "result": {**answer["result"], "value": [status] * count}}


@dataclass
class RefusesToRun(Fault):
    """Claims that a program refused each simulation after the first ``passing`` ones."""

    passing: int = 0
    program: str = ""
    number: int = 0
    simulated: int = 0

    async def __call__(self, call: Call) -> Result | None:
        self.simulated += call.method == SIMULATE
        if call.method != SIMULATE or self.simulated <= self.passing or not self._happens():
            return None
        answer = dict(await call.on())
        logs = [f"Program {self.program} failed: custom program error: {self.number:#x}"]
        value = {
            **answer["result"]["value"], "err": {"InstructionError": [1, {"Custom": self.number}]}, "logs": logs
        }  # fmt: skip
        return {**answer, "result": {**answer["result"], "value": value}}


@dataclass
class Hides(Fault):
    """Shows no account, as a node does that lags behind their creation."""

    async def __call__(self, call: Call) -> Result | None:
        if call.method != ACCOUNTS or not self._happens():
            return None
        answer = dict(await call.on())
        value = answer["result"]
        return {**answer, "result": {**value, "value": [None] * len(value["value"])}}


@dataclass
class AsksFees(Fault):
    """Claims that others paid this priority fee lately."""

    micro_lamports: int = 0

    async def __call__(self, call: Call) -> Result | None:
        if call.method != FEES or not self._happens():
            return None
        return call.answer([{"slot": n, "prioritizationFee": self.micro_lamports} for n in range(20)])
