"""The subscribe and unsubscribe methods of Solana's WebSocket API, for one connection; bounded in number."""

from collections.abc import Callable
from typing import Any

from solders.account import Account
from solders.pubkey import Pubkey

from hub.ledger.chain import Chain
from hub.ledger.rpc.accounts import account_filters, account_json
from hub.ledger.rpc.params import INTERNAL_ERROR, Config, Params, RpcError, invalid, pubkey
from hub.ledger.rpc.subscription_registry import ALL_LOGS, ROOT, SLOT, Subscription, SubscriptionRegistry

MAX_SUBSCRIPTIONS = 100
"""Per connection."""

Push = Callable[[dict[str, Any]], None]


class SubscriptionMethods:
    """Answers accountSubscribe and the other subscribe methods."""

    def __init__(self, chain: Chain, registry: SubscriptionRegistry, push: Push) -> None:
        self._chain = chain
        self._registry = registry
        self._push = push
        self._subscriptions: dict[int, Subscription] = {}
        self.methods: dict[str, Callable[[Params], Any]] = {
            "accountSubscribe": self._account,
            "programSubscribe": self._program,
            "logsSubscribe": self._logs,
            "signatureSubscribe": self._signature,
            "slotSubscribe": lambda _: self._add(Subscription(SLOT, "slotNotification", push)),
            "rootSubscribe": lambda _: self._add(Subscription(ROOT, "rootNotification", push)),
        }
        self.methods |= {name.replace("Subscribe", "Unsubscribe"): self._unsubscribe for name in self.methods}

    def close(self) -> None:
        """Ends all subscriptions of the connection."""
        for subscription in self._subscriptions.values():
            self._registry.remove(subscription)
        self._subscriptions.clear()

    def after_answer(self, identity: Any) -> None:
        """Notifies a new subscription of what it already missed, once its number was sent."""
        subscription = None if isinstance(identity, bool) else self._subscriptions.get(identity)
        if subscription is not None and subscription.topic[0] == "signature":
            self._registry.catch_up(subscription, subscription.topic[1])  # type: ignore[arg-type] # the topic of a signature

    def _add(self, subscription: Subscription) -> int:
        if subscription.once:
            push = subscription.push

            def last(notification: dict[str, Any]) -> None:
                self._subscriptions.pop(subscription.identity, None)
                push(notification)

            subscription.push = last
        if len(self._subscriptions) >= MAX_SUBSCRIPTIONS:
            raise RpcError(INTERNAL_ERROR, "Internal Error: Subscription refused. Node subscription limit reached")
        identity = self._registry.add(subscription)
        self._subscriptions[identity] = subscription
        return identity

    def _unsubscribe(self, params: Params) -> bool:
        subscription = self._subscriptions.pop(params.integer(0, "a subscription"), None)
        if subscription is None:
            raise invalid("Invalid subscription id.")
        self._registry.remove(subscription)
        return True

    def _account(self, params: Params) -> int:
        config = params.config(1)
        topic = ("account", params.pubkey(0), config.commitment())
        self._encode(_NO_ACCOUNT, config)  # refuses an encoding that is not offered

        def encode(value: tuple[int, Pubkey, Account]) -> Any:
            slot, _, account = value
            return {"context": {"slot": slot}, "value": self._encode(account, config)}

        return self._add(Subscription(topic, "accountNotification", self._push, encode))

    def _program(self, params: Params) -> int:
        config = params.config(1)
        topic = ("program", params.pubkey(0), config.commitment())
        filters = account_filters(config)
        self._encode(_NO_ACCOUNT, config)

        def encode(value: tuple[int, Pubkey, Account]) -> Any:
            slot, key, account = value
            if not all(matches(account.data) for matches in filters):
                return None
            return {"context": {"slot": slot}, "value": {"pubkey": str(key), "account": self._encode(account, config)}}

        return self._add(Subscription(topic, "programNotification", self._push, encode))

    def _logs(self, params: Params) -> int:
        commitment = params.config(1).commitment()
        return self._add(Subscription(("logs", _mentioned(params.any(0)), commitment), "logsNotification", self._push))

    def _signature(self, params: Params) -> int:
        topic = ("signature", params.signature(0), params.config(1).commitment())
        return self._add(Subscription(topic, "signatureNotification", self._push, once=True))

    def _encode(self, account: Account, config: Config) -> dict[str, Any]:
        hidden = self._chain.hidden_layers(config.commitment())
        return account_json(account, config, lambda key: self._chain.bank.read(key, hidden))


_NO_ACCOUNT = Account(0, b"", Pubkey.default())


def _mentioned(filter_value: Any) -> Pubkey | str:
    if filter_value in ("all", "allWithVotes"):
        return ALL_LOGS
    mentions = Config(filter_value).items("mentions", 1) if isinstance(filter_value, dict) else []
    if not mentions:
        raise invalid('the filter is "all" or {"mentions": [address]}')
    return pubkey(str(mentions[0]))
