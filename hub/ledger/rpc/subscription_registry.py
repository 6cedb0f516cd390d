"""Publishes the chain's events to subscriptions by topic; no sockets here."""

import asyncio
import itertools
import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import structlog
from solders.account import Account
from solders.pubkey import Pubkey
from solders.signature import Signature

from hub.ledger.blocks import SLOT_MS
from hub.ledger.chain import Chain
from hub.ledger.events import ChainEvent
from hub.ledger.recent import Commitment

log = structlog.get_logger()

Topic = tuple[object, ...]
"""For example ("account", address, "confirmed")."""

SLOT, ROOT = ("slot",), ("root",)
ALL_LOGS = "all"
_COMMITMENTS: tuple[Commitment, ...] = ("processed", "confirmed", "finalized")
_NO_ACCOUNT = Account(0, b"", Pubkey.default())


@dataclass
class Subscription:
    """One client's subscription; ``push`` queues a notification and never blocks."""

    topic: Topic
    method: str
    push: Callable[[dict[str, Any]], None]
    encode: Callable[[Any], Any | None] = lambda value: value
    """Makes the notification's result of a published value; None = no notification."""
    once: bool = False
    identity: int = field(default=0)

    def notify(self, value: Any) -> bool:
        """Pushes a notification of a published value; returns whether there was one to push."""
        result = self.encode(value)
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
        chain.listeners.append(self._on_event)

    async def run(self) -> None:
        """Publishes slots that pass without a block, until cancelled."""
        while True:
            await asyncio.sleep(SLOT_MS / 1000)
            self._publish_slot()

    def add(self, subscription: Subscription) -> int:
        """Adds a subscription and returns its number."""
        subscription.identity = next(self._identities)
        self._topics[subscription.topic][subscription.identity] = subscription
        return subscription.identity

    def remove(self, subscription: Subscription) -> None:
        self._topics[subscription.topic].pop(subscription.identity, None)
        if not self._topics[subscription.topic]:
            del self._topics[subscription.topic]

    def catch_up(self, subscription: Subscription, signature: Signature) -> None:
        """Notifies a new subscription of a signature if its commitment was reached before."""
        commitment: Commitment = subscription.topic[2]  # type: ignore[assignment] # the topic of a signature
        status = self._chain.statuses.get(signature)
        if status is not None:
            if _COMMITMENTS.index(status.commitment) >= _COMMITMENTS.index(commitment):
                self._notify(subscription, _with_slot(status.slot, {"err": status.error}))
            return
        stored = self._chain.repository.transaction(bytes(signature))
        if stored is not None:
            self._notify(subscription, _with_slot(stored.slot, {"err": json.loads(stored.result)["err"]}))

    @property
    def is_empty(self) -> bool:
        """Whether nobody has subscribed to anything."""
        return not self._topics

    def _on_event(self, event: ChainEvent) -> None:
        for topic, value in self._values(event):
            self._publish(topic, value)
        if event.commitment == "finalized":
            self._publish(ROOT, event.slot)
        if event.commitment != "processed":
            self._publish_slot()

    def _values(self, event: ChainEvent) -> Iterator[tuple[Topic, Any]]:
        commitment = event.commitment
        hidden = self._chain.hidden_layers(commitment)
        for key in event.changed if self._topics else ():
            account = self._chain.bank.read(key, hidden) or _NO_ACCOUNT
            yield ("account", key, commitment), (event.slot, key, account)
            yield ("program", account.owner, commitment), (event.slot, key, account)
        for stored in event.transactions if self._topics else ():
            signature = Signature.from_bytes(stored.signature)
            result = json.loads(stored.result)
            yield ("signature", signature, commitment), _with_slot(event.slot, {"err": result["err"]})
            value = {"signature": str(signature), "err": result["err"], "logs": result["logMessages"]}
            for mentioned in (ALL_LOGS, *(Pubkey(address) for address in set(stored.addresses))):
                yield ("logs", mentioned, commitment), _with_slot(event.slot, value)

    def _publish_slot(self) -> None:
        head, slot = self._chain.head, self._chain.slot_for("confirmed")
        if slot > self._last_slot:
            self._last_slot = slot
            parent = head.parent_slot if slot == head.slot else head.slot
            root = min(parent, self._chain.slot_for("finalized"))
            self._publish(SLOT, {"slot": slot, "parent": parent, "root": root})

    def _publish(self, topic: Topic, value: Any) -> None:
        for subscription in list(self._topics.get(topic, {}).values()):
            self._notify(subscription, value)

    def _notify(self, subscription: Subscription, value: Any) -> None:
        try:
            if subscription.notify(value) and subscription.once:
                self.remove(subscription)
        except Exception:  # one subscription's failure must not stop the chain
            log.exception("a subscription failed", method=subscription.method)
            self.remove(subscription)


def _with_slot(slot: int, value: Any) -> dict[str, Any]:
    return {"context": {"slot": slot}, "value": value}
