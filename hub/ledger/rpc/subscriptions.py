"""The subscribe and unsubscribe calls of Solana's WebSocket API, for one connection; bounded in number."""

from collections.abc import Callable
from typing import Any

from solders.account import Account
from solders.pubkey import Pubkey

from hub.ledger.chain import Chain
from hub.ledger.rpc.accounts import account_filters, account_json
from hub.ledger.rpc.params import INTERNAL_ERROR, Config, Params, RpcError, invalid, pubkey
from hub.ledger.rpc.subscription_registry import ALL_LOGS, ROOT, SLOT, Subscription, SubscriptionRegistry

MAX_SUBSCRIPTIONS = 100
"""Of one connection."""

Push = Callable[[dict[str, Any]], None]


class SubscriptionMethods:
    """accountSubscribe and its kin."""

    def __init__(self, chain: Chain, registry: SubscriptionRegistry, push: Push) -> None:
        self._chain = chain
        self._registry = registry
        self._push = push
        self._mine: dict[int, Subscription] = {}
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
        for wanted in self._mine.values():
            self._registry.remove(wanted)
        self._mine.clear()

    def after_answer(self, identity: Any) -> None:
        """What a new subscription must hear at once, after its number was sent."""
        wanted = None if isinstance(identity, bool) else self._mine.get(identity)
        if wanted is not None and wanted.topic[0] == "signature":
            self._registry.catch_up(wanted, wanted.topic[1])  # type: ignore[arg-type] # the topic of a signature

    def _add(self, wanted: Subscription) -> int:
        if wanted.once:
            push = wanted.push

            def last(notification: dict[str, Any]) -> None:
                self._mine.pop(wanted.identity, None)
                push(notification)

            wanted.push = last
        if len(self._mine) >= MAX_SUBSCRIPTIONS:
            raise RpcError(INTERNAL_ERROR, "Internal Error: Subscription refused. Node subscription limit reached")
        identity = self._registry.add(wanted)
        self._mine[identity] = wanted
        return identity

    def _unsubscribe(self, params: Params) -> bool:
        wanted = self._mine.pop(params.integer(0, "a subscription"), None)
        if wanted is None:
            raise invalid("Invalid subscription id.")
        self._registry.remove(wanted)
        return True

    def _account(self, params: Params) -> int:
        config = params.config(1)
        topic = ("account", params.pubkey(0), config.confirmation())
        self._encode(_NO_ACCOUNT, config)  # an encoding that is not offered is refused now

        def shape(value: tuple[int, Pubkey, Account]) -> Any:
            slot, _, account = value
            return {"context": {"slot": slot}, "value": self._encode(account, config)}

        return self._add(Subscription(topic, "accountNotification", self._push, shape))

    def _program(self, params: Params) -> int:
        config = params.config(1)
        topic = ("program", params.pubkey(0), config.confirmation())
        keep = account_filters(config)
        self._encode(_NO_ACCOUNT, config)

        def shape(value: tuple[int, Pubkey, Account]) -> Any:
            slot, key, account = value
            if not all(test(account.data) for test in keep):
                return None
            return {"context": {"slot": slot}, "value": {"pubkey": str(key), "account": self._encode(account, config)}}

        return self._add(Subscription(topic, "programNotification", self._push, shape))

    def _logs(self, params: Params) -> int:
        level = params.config(1).confirmation()
        return self._add(Subscription(("logs", _mentioned(params.any(0)), level), "logsNotification", self._push))

    def _signature(self, params: Params) -> int:
        topic = ("signature", params.signature(0), params.config(1).confirmation())
        return self._add(Subscription(topic, "signatureNotification", self._push, once=True))

    def _encode(self, account: Account, config: Config) -> dict[str, Any]:
        hidden = self._chain.hidden_layers(config.confirmation())
        return account_json(account, config, lambda key: self._chain.bank.read(key, hidden))


_NO_ACCOUNT = Account(0, b"", Pubkey.default())


def _mentioned(wanted: Any) -> Pubkey | str:
    if wanted in ("all", "allWithVotes"):
        return ALL_LOGS
    listed = Config(wanted).items("mentions", 1) if isinstance(wanted, dict) else []
    if not listed:
        raise invalid('the filter is "all" or {"mentions": [address]}')
    return pubkey(str(listed[0]))
