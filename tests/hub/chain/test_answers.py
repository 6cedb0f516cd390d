"""What nodes answer and what is made of it: refusals, pauses, failures, quorums; and the keys that a chain names."""

import json
from dataclasses import replace
from email.utils import formatdate
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from solana.rpc.core import RPCException
from solders.keypair import Keypair
from solders.rpc.errors import InternalErrorMessage, InvalidParamsMessage

from hub.chain import node
from hub.chain.bootstrap import Bootstrap
from hub.chain.breaker import MAX_RETRY_AFTER_MS, CircuitBreaker
from hub.chain.errors import ChainUnreachableError, ProgramError
from hub.chain.key_check import WrongKeyError, check_founding_keys
from hub.chain.node import Failover, Node, UntypedRequest, UntypedResponse
from hub.chain.quorum import quorum_answer
from hub.chain.transaction_outcome import NodeReport, Status, combine_reports
from hub.clock import ManualClock


def test_a_request_without_a_type_is_json() -> None:
    assert json.loads(UntypedRequest("getX", 1, "a").to_json()) == {
        "jsonrpc": "2.0", "id": 0, "method": "getX", "params": [1, "a"],
    }  # fmt: skip
    assert UntypedResponse.from_json('{"jsonrpc":"2.0","id":0,"result":[7]}').result == [7]
    assert UntypedResponse.from_json('{"result":null}').result is None
    for strange in ("[]", "{}", '"result"'):
        with pytest.raises(ValueError, match=r"."):
            UntypedResponse.from_json(strange)
    refused = UntypedResponse.from_json('{"jsonrpc":"2.0","id":0,"error":{"code":-32601,"message":"no"}}')
    assert not isinstance(refused, UntypedResponse)


@pytest.mark.parametrize(
    ("message", "unhealthy"),
    [(InternalErrorMessage("x"), True), (InvalidParamsMessage("x"), False)],
)
def test_a_node_says_that_it_can_not_serve(message: Any, *, unhealthy: bool) -> None:
    assert node.is_unhealthy(RPCException(message)) is unhealthy


def answered(**headers: str) -> httpx.HTTPStatusError:
    request = httpx.Request("POST", "http://node")
    return httpx.HTTPStatusError("429", request=request, response=httpx.Response(429, headers=headers, request=request))


def test_a_pause_is_in_seconds_or_until_a_date() -> None:
    now_ms = 1_780_308_000_000
    assert node._retry_after_ms(answered(**{"retry-after": "30"}), now_ms) == 30_000
    assert (
        node._retry_after_ms(answered(**{"retry-after": formatdate(now_ms / 1000 + 7, usegmt=True)}), now_ms) == 7_000
    )
    assert node._retry_after_ms(answered(**{"retry-after": formatdate(now_ms / 1000 - 7, usegmt=True)}), now_ms) == 0
    for nothing in (answered(), answered(**{"retry-after": "soon"}), ValueError("30")):
        assert node._retry_after_ms(nothing, now_ms) is None


async def test_a_node_is_named_without_its_secrets() -> None:
    named = Node("http://user:secret@rpc.example:8899/key", 1, ManualClock(0))
    assert (named.name, named.url) == ("rpc.example:8899", "http://user:secret@rpc.example:8899/key")
    await named.close()
    assert node.STATE_NUMBERS == {"closed": 0, "half open": 1, "open": 2}


async def test_all_failures_are_named_when_no_node_serves() -> None:
    class Away:
        url = "http://b"

        def __init__(self, error: Exception) -> None:
            self._error, self.asked = error, 0

        async def make_request(self, *_: object) -> None:
            self.asked += 1
            raise self._error

    ill = Away(RPCException(InternalErrorMessage("x")))
    nodes: Any = [Away(ChainUnreachableError("a is away")), ill]
    with pytest.raises(ChainUnreachableError, match=r"^a is away; http://b can not serve now$"):
        await Failover(nodes).make_request(None, None)  # type: ignore[arg-type]
    refusing = Away(RPCException(InvalidParamsMessage("x")))
    nodes = [refusing, ill]
    with pytest.raises(RPCException):
        await Failover(nodes).make_request(None, None)  # type: ignore[arg-type]
    assert (refusing.asked, ill.asked) == (1, 1), "a refusal is the answer"


def test_a_breaker_is_closed_open_or_half_open() -> None:
    clock = ManualClock(0)
    breaker = CircuitBreaker(clock)
    assert (breaker.state, breaker.remaining_ms) == ("closed", 0)
    breaker.record_failure(MAX_RETRY_AFTER_MS)
    assert (breaker.state, breaker.remaining_ms, breaker.allows_call()) == ("open", MAX_RETRY_AFTER_MS, False)
    clock.advance(-1)
    assert (breaker.state, breaker.allows_call()) == ("half open", True), "the clock was set back"
    assert MAX_RETRY_AFTER_MS == 600_000


def test_a_quorum_is_of_equal_answers_and_equal_errors() -> None:
    away = ChainUnreachableError("away")
    assert quorum_answer([1, 2, 1], 2) == 1
    assert quorum_answer([1, 2], 2) is None and quorum_answer([1, away], 2) is None
    assert quorum_answer([away, away], 2) is None
    for other in (ProgramError("t", 1, "B", "b"), ValueError("a")):
        assert quorum_answer([ProgramError("t", 1, "A", "a"), other], 2) is None
    with pytest.raises(ProgramError):
        quorum_answer([ProgramError("t", 1, "A", "a"), 1, ProgramError("t", 1, "A", "a")], 2)


def test_a_status_has_reached_its_level_and_those_before() -> None:
    levels = ("processed", "confirmed", "finalized")
    reached = [[Status(1, level, None).reached(other) for other in levels] for level in levels]  # type: ignore[arg-type]
    assert reached == [[True, False, False], [True, True, False], [True, True, True]]
    final = NodeReport(Status(5, "finalized", None))
    assert combine_reports({"a": final, "b": NodeReport(None)}, 2).known is False
    assert combine_reports({"a": final, "b": None}, 2).known is True


# Keys ----------------------------------------------------------------------------------------------------------------


class Founded:
    """A chain whose first accounts name these keys."""

    url = "http://node"

    def __init__(self, keys: Bootstrap) -> None:
        self.accounts: dict[tuple[str, str], Any] = {
            ("trading", "Market"): SimpleNamespace(currency_mint=keys.mint, settler=keys.settler.pubkey()),
            ("registry", "Config"): SimpleNamespace(registrar=keys.registrar.pubkey()),
            ("oracle", "Config"): SimpleNamespace(attestors=[key.pubkey() for key in keys.attestors]),
            ("governance", "Authority"): SimpleNamespace(rec_validator=keys.members[0].pubkey()),
        }

    async def account(self, program: str, kind: str, _: object) -> Any:
        return self.accounts.get((program, kind))


@pytest.mark.parametrize(
    ("change", "file"),
    [
        ({"currency_mint": Keypair()}, "currency_mint.json"),
        ({"settler": Keypair()}, "settler.json"),
        ({"registrar": Keypair()}, "registrar.json"),
        ({"attestors": (Keypair(),)}, "attestor.json"),
        ({"members": (Keypair(),) * 3}, "rec_validator.json"),
    ],
)
async def test_each_founders_key_is_compared(change: dict[str, Any], file: str) -> None:
    keys = Bootstrap.random()
    chain: Any = Founded(keys)
    await check_founding_keys(chain, keys)
    with pytest.raises(WrongKeyError, match=f"^{file} holds ") as refused:
        await check_founding_keys(chain, replace(keys, **change))
    assert refused.value.code == "wrong_key"
    chain.accounts.clear()
    await check_founding_keys(chain, replace(keys, **change))
