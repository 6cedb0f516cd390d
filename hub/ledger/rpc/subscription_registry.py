"""Decides which subscription hears of which event of the chain: subscriptions by topic, no sockets here."""

import asyncio
import itertools
import json
import logging
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from solders.account import Account
from solders.pubkey import Pubkey
from solders.signature import Signature

from hub.ledger.blocks import SLOT_MS
from hub.ledger.chain import Chain
from hub.ledger.events import ChainEvent
from hub.ledger.recent import Confirmation

logger = logging.getLogger(__name__)

Topic = tuple[object, ...]
"""For example ("account", address, "confirmed")."""

SLOT, ROOT = ("slot",), ("root",)
ALL_LOGS = "all"
_LEVELS: tuple[Confirmation, ...] = ("processed", "confirmed", "finalized")
_GONE = Account(0, b"", Pubkey.default())


@dataclass
class Subscription:
    """One client's wish; ``push`` takes a notification away and never blocks."""

    topic: Topic
    method: str
    push: Callable[[dict[str, Any]], None]
    shape: Callable[[Any], Any | None] = lambda value: value
    """What the client gets of the value; None = nothing."""
    once: bool = False
    identity: int = field(default=0)

    def tell(self, value: Any) -> bool:
        """Pushes the notification; whether there was one."""
        result = self.shape(value)
        if result is None:
            return False
        self.push(
            {"jsonrpc": "2.0", "method": self.method, "params": {"result": result, "subscription": self.identity}}
        )
        return True


class SubscriptionRegistry:
    """All subscriptions of one ledger."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._topics: defaultdict[Topic, dict[int, Subscription]] = defaultdict(dict)
        self._identities = itertools.count(1)
        self._last_slot = chain.slot()
        chain.listeners.append(self._hear)

    async def run(self) -> None:
        """Tells of slots that pass without a block."""
        while True:
            await asyncio.sleep(SLOT_MS / 1000)
            self._tell_slot()

    def add(self, wanted: Subscription) -> int:
        """Takes a subscription; its number."""
        wanted.identity = next(self._identities)
        self._topics[wanted.topic][wanted.identity] = wanted
        return wanted.identity

    def remove(self, wanted: Subscription) -> None:
        self._topics[wanted.topic].pop(wanted.identity, None)
        if not self._topics[wanted.topic]:
            del self._topics[wanted.topic]

    def catch_up(self, wanted: Subscription, signature: Signature) -> None:
        """Tells a new subscription of a signature what has happened before."""
        level: Confirmation = wanted.topic[2]  # type: ignore[assignment] # the topic of a signature
        status = self._chain.statuses.get(signature)
        if status is not None:
            if _LEVELS.index(status.confirmation) >= _LEVELS.index(level):
                self._tell(wanted, _with_slot(status.slot, {"err": status.error}))
            return
        stored = self._chain.repository.transaction(bytes(signature))
        if stored is not None:
            self._tell(wanted, _with_slot(stored.slot, {"err": json.loads(stored.result)["err"]}))

    @property
    def quiet(self) -> bool:
        """Nobody subscribed to anything."""
        return not self._topics

    def _hear(self, event: ChainEvent) -> None:
        for topic, value in self._values(event):
            self._publish(topic, value)
        if event.level == "finalized":
            self._publish(ROOT, event.slot)
        if event.level != "processed":
            self._tell_slot()

    def _values(self, event: ChainEvent) -> Iterator[tuple[Topic, Any]]:
        level = event.level
        hidden = self._chain.hidden_layers(level)
        for key in event.changed if self._topics else ():
            account = self._chain.bank.read(key, hidden) or _GONE
            yield ("account", key, level), (event.slot, key, account)
            yield ("program", account.owner, level), (event.slot, key, account)
        for stored in event.transactions if self._topics else ():
            signature = Signature.from_bytes(stored.signature)
            result = json.loads(stored.result)
            yield ("signature", signature, level), _with_slot(event.slot, {"err": result["err"]})
            value = {"signature": str(signature), "err": result["err"], "logs": result["logMessages"]}
            for mentioned in (ALL_LOGS, *(Pubkey(one) for one in set(stored.addresses))):
                yield ("logs", mentioned, level), _with_slot(event.slot, value)

    def _tell_slot(self) -> None:
        head, slot = self._chain.head, self._chain.slot_for("confirmed")
        if slot > self._last_slot:
            self._last_slot = slot
            parent = head.parent_slot if slot == head.slot else head.slot
            root = min(parent, self._chain.slot_for("finalized"))
            self._publish(SLOT, {"slot": slot, "parent": parent, "root": root})

    def _publish(self, topic: Topic, value: Any) -> None:
        for wanted in list(self._topics.get(topic, {}).values()):
            self._tell(wanted, value)

    def _tell(self, wanted: Subscription, value: Any) -> None:
        try:
            if wanted.tell(value) and wanted.once:
                self.remove(wanted)
        except Exception:  # the chain goes on, whatever one subscription asked for
            logger.exception("%s failed", wanted.method)
            self.remove(wanted)


def _with_slot(slot: int, value: Any) -> dict[str, Any]:
    return {"context": {"slot": slot}, "value": value}
