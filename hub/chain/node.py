"""Providers for solana-py's client: one RPC node behind a circuit breaker, and a failover over several nodes.

A failure of a node is a ChainUnreachableError. A refused request stays solana-py's RPCException, which ``reader``
translates.
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

from hub.chain.breaker import CircuitBreaker
from hub.chain.errors import ChainUnreachableError
from hub.clock import Clock
from hub.observability import metrics

_UNHEALTHY = ("NodeUnhealthy", "NodeBehind", "BlockStatusNotAvailableYet", "MinContextSlotNotReached", "InternalError")
STATE_NUMBERS = {"closed": 0, "half open": 1, "open": 2}
"""A breaker's states as the metric shows them."""


class Node(AsyncHTTPProvider):
    """Sends requests to one RPC node over HTTP, unless its circuit breaker is open."""

    def __init__(self, url: str, timeout_s: float, clock: Clock) -> None:
        super().__init__(url, timeout=timeout_s)
        self.url = url
        self.name = urlsplit(url).netloc.rpartition("@")[2]
        """Host and port only: path and user of a URL may be secret."""
        self.breaker = CircuitBreaker(clock)
        self._report_state()

    async def make_request(self, body: Body, parser: type[T]) -> T:
        """Sends a request once.

        Raises:
            ChainUnreachableError: no answer, one that is not a Solana node's, or the breaker is open.
            RPCException: the node refuses the request.
        """
        if not self.breaker.allows_call():
            remaining_s = self.breaker.remaining_ms / 1000
            raise ChainUnreachableError(
                f"The chain at {self.url} does not answer, it is asked again in {remaining_s:.0f} s"
            )
        try:
            answer: T = await super().make_request(body, parser)
        except SolanaRpcException as error:
            cause = error.__cause__ or error
            retry_after_ms = _retry_after_ms(cause, self.breaker.clock.now_ms())
            raise self._record_failure(f"The chain at {self.url} does not answer: {cause!r}", retry_after_ms) from error
        except RPCException:
            self._record_answer()
            raise
        except (ValueError, SerdeJSONError) as error:
            raise self._record_failure(f"{self.url} answers, but not as a Solana RPC node: {error}") from error
        except BaseException as error:
            # solders panics on an answer that it can not parse, and a panic is no Exception
            if type(error).__name__ != "PanicException":
                raise
            raise self._record_failure(f"{self.url} answers, but not as a Solana RPC node: {error}") from error
        self._record_answer()
        return answer

    def _record_answer(self) -> None:
        self.breaker.record_success()
        self._report_state()

    def _record_failure(self, message: str, retry_after_ms: int | None = None) -> ChainUnreachableError:
        self.breaker.record_failure(retry_after_ms)
        metrics.NODE_FAILURES.labels(self.name).inc()
        self._report_state()
        return ChainUnreachableError(message)

    def _report_state(self) -> None:
        metrics.NODE_BREAKER.labels(self.name).set(STATE_NUMBERS[self.breaker.state])


class Failover(AsyncBaseProvider):
    """Sends a request to the first node, and to the next one when that can not serve."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self._nodes = nodes

    async def make_request(self, body: Body, parser: type[T]) -> T:
        """Returns the first answer.

        Raises:
            ChainUnreachableError: no node can serve.
            RPCException: a node that can serve refuses the request.
        """
        failures = []
        for node in self._nodes:
            try:
                return await node.make_request(body, parser)
            except ChainUnreachableError as error:
                failures.append(str(error))
            except RPCException as error:
                if not is_unhealthy(error):
                    raise
                failures.append(f"{node.url} can not serve now")
        raise ChainUnreachableError("; ".join(failures))

    async def close(self) -> None:
        """Closes the nodes' connections."""
        for node in self._nodes:
            await node.close()


class UntypedRequest:
    """A request that solders has no type for."""

    def __init__(self, method: str, *params: Any) -> None:
        self._text = json.dumps({"jsonrpc": "2.0", "id": 0, "method": method, "params": params})

    def to_json(self) -> str:
        return self._text


class UntypedResponse:
    """The answer to an UntypedRequest, with its result as JSON gives it."""

    def __init__(self, result: Any) -> None:
        self.result = result

    @classmethod
    def from_json(cls, text: str) -> Any:
        """Parses a response: an UntypedResponse, or solders' value for an RPC error.

        Raises:
            ValueError: the text is neither.
        """
        value = json.loads(text)
        if isinstance(value, dict) and "error" in value:
            return GetHealthResp.from_json(text)
        if not isinstance(value, dict) or "result" not in value:
            raise ValueError(text[:200])
        return cls(value["result"])


def is_unhealthy(error: RPCException) -> bool:
    """Whether the node says that it can not serve now; another node may."""
    return any(name in type(error.args[0]).__name__ for name in _UNHEALTHY)


def _retry_after_ms(cause: BaseException, now_ms: int) -> int | None:
    """Returns the pause of a `Retry-After` header, which is in seconds or a date (RFC 9110, section 10.2.3)."""
    if not isinstance(cause, httpx.HTTPStatusError):
        return None
    text = cause.response.headers.get("retry-after", "")
    if text.isdecimal():
        return int(text) * 1000
    parsed = email.utils.parsedate_tz(text)
    return None if parsed is None else max(0, email.utils.mktime_tz(parsed) * 1000 - now_ms)
