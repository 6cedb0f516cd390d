"""One RPC node behind a circuit breaker, and several behind each other; solana-py's client asks through them.

What a node fails at is a ChainUnreachableError; what it refuses stays solana-py's RPCException, for ``client``.
"""

import email.utils
import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import httpx
from solana.exceptions import SolanaRpcException
from solana.rpc.core import RPCException
from solana.rpc.providers.async_base import AsyncBaseProvider
from solana.rpc.providers.async_http import AsyncHTTPProvider
from solana.rpc.providers.core import T
from solders.errors import SerdeJSONError
from solders.rpc.requests import Body
from solders.rpc.responses import GetHealthResp

from hub.chain.breaker import Breaker
from hub.chain.errors import ChainUnreachableError
from hub.clock import Clock
from hub.observability import metrics

_UNHEALTHY = ("NodeUnhealthy", "NodeBehind", "BlockStatusNotAvailableYet", "MinContextSlotNotReached", "InternalError")
STATE_NUMBERS = {"closed": 0, "half open": 1, "open": 2}
"""Of a breaker, as the metric tells them."""


class Node(AsyncHTTPProvider):
    """The HTTP side of one node."""

    def __init__(self, url: str, timeout_s: float, clock: Clock) -> None:
        super().__init__(url, timeout=timeout_s)
        self.url = url
        self.name = urlsplit(url).netloc.rpartition("@")[2]
        """Host and port: an URL's path and user may be secrets."""
        self.breaker = Breaker(clock)
        self._tell()

    async def make_request(self, body: Body, parser: type[T]) -> T:
        """Asks once.

        Raises:
            ChainUnreachableError: no answer, one that is no Solana node's, or the node is left alone for now.
            RPCException: the node refuses.
        """
        if not self.breaker.admits():
            left_s = self.breaker.left_ms / 1000
            raise ChainUnreachableError(f"The chain at {self.url} does not answer, it is asked again in {left_s:.0f} s")
        try:
            answer: T = await super().make_request(body, parser)
        except SolanaRpcException as error:
            cause = error.__cause__ or error
            asked_ms = _asked_ms(cause, self.breaker.clock.now_ms())
            raise self._failed(f"The chain at {self.url} does not answer: {cause!r}", asked_ms) from error
        except RPCException:
            self._answered()
            raise
        except (ValueError, SerdeJSONError) as error:
            raise self._failed(f"{self.url} answers, but not as a Solana RPC node: {error}") from error
        except BaseException as error:
            # solders panics on an answer that it can not read, and a panic is no Exception
            if type(error).__name__ != "PanicException":
                raise
            raise self._failed(f"{self.url} answers, but not as a Solana RPC node: {error}") from error
        self._answered()
        return answer

    def _answered(self) -> None:
        self.breaker.succeeded()
        self._tell()

    def _failed(self, message: str, asked_ms: int | None = None) -> ChainUnreachableError:
        self.breaker.failed(asked_ms)
        metrics.NODE_FAILURES.labels(self.name).inc()
        self._tell()
        return ChainUnreachableError(message)

    def _tell(self) -> None:
        metrics.NODE_BREAKER.labels(self.name).set(STATE_NUMBERS[self.breaker.state])


class Failover(AsyncBaseProvider):
    """Asks the first node, and the next one when that can not serve."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self._nodes = nodes

    async def make_request(self, body: Body, parser: type[T]) -> T:
        """The first answer.

        Raises:
            ChainUnreachableError: no node can serve.
            RPCException: a node that can refuses.
        """
        troubles = []
        for node in self._nodes:
            try:
                return await node.make_request(body, parser)
            except ChainUnreachableError as error:
                troubles.append(str(error))
            except RPCException as error:
                if not is_unhealthy(error):
                    raise
                troubles.append(f"{node.url} can not serve now")
        raise ChainUnreachableError("; ".join(troubles))

    async def close(self) -> None:
        """Closes what the nodes hold open."""
        for node in self._nodes:
            await node.close()


class PlainRequest:
    """A request that solders has no type for."""

    def __init__(self, method: str, *params: Any) -> None:
        self._text = json.dumps({"jsonrpc": "2.0", "id": 0, "method": method, "params": params})

    def to_json(self) -> str:
        return self._text


class PlainAnswer:
    """Its answer, not looked into."""

    def __init__(self, result: Any) -> None:
        self.result = result

    @classmethod
    def from_json(cls, text: str) -> Any:
        """The answer, or solders' value for a refusal.

        Raises:
            ValueError: it is neither.
        """
        value = json.loads(text)
        if isinstance(value, dict) and "error" in value:
            return GetHealthResp.from_json(text)
        if not isinstance(value, dict) or "result" not in value:
            raise ValueError(text[:200])
        return cls(value["result"])


def is_unhealthy(error: RPCException) -> bool:
    """Whether the node says that it can not serve now, and another may."""
    return any(word in type(error.args[0]).__name__ for word in _UNHEALTHY)


def _asked_ms(cause: BaseException, now_ms: int) -> int | None:
    """The pause that an HTTP answer asks for, in seconds or until a date (RFC 9110, 10.2.3)."""
    if not isinstance(cause, httpx.HTTPStatusError):
        return None
    text = cause.response.headers.get("retry-after", "")
    if text.isdecimal():
        return int(text) * 1000
    parsed = email.utils.parsedate_tz(text)
    return None if parsed is None else max(0, email.utils.mktime_tz(parsed) * 1000 - now_ms)
