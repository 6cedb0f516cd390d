"""A wall clock that is wrong for a moment, or at start: the chain's time does not follow it."""

from pathlib import Path

import pytest
from solders.keypair import Keypair
from structlog.testing import capture_logs

from hub.clock import ManualClock
from hub.ledger.blocks import Header
from hub.ledger.chain import Chain
from hub.ledger.errors import ClockJumpedError, LedgerClockError
from hub.ledger.genesis import Genesis
from hub.ledger.guarded_clock import GuardedClock, check_gap
from hub.ledger.opening import Limits, open_chain
from hub.ledger.producer import Producer
from hub.ledger.rpc.server import RpcServer

START_MS = 1_750_000_000_000
DAY_MS = 86_400_000
HEAD = Header(5, 4, bytes(32), START_MS, 0, bytes(32), bytes(32))


class Machine:
    """A wall clock and one that nobody sets."""

    def __init__(self) -> None:
        self.wall, self.monotonic = ManualClock(START_MS), ManualClock(77)
        self.clock = GuardedClock(self.wall, self.monotonic.now_ms)

    def passes(self, ms: int) -> None:
        self.wall.advance(ms)
        self.monotonic.advance(ms)


@pytest.mark.parametrize("step_ms", [30 * DAY_MS, 31_000, -31_000, -DAY_MS])
def test_a_clock_that_jumps_is_not_followed(step_ms: int) -> None:
    machine = Machine()
    machine.wall.advance(step_ms)
    with capture_logs() as lines:
        for passed_ms in (0, 1000, 1000):
            machine.passes(passed_ms)
            assert machine.clock.fault() is not None
        assert machine.clock.now_ms() == START_MS + 2000
    assert [(line["log_level"], line["step_ms"]) for line in lines] == [("critical", step_ms)]
    machine.wall.advance(-step_ms)
    assert machine.clock.fault() is None
    assert machine.clock.now_ms() == START_MS + 2000


def test_small_steps_are_followed_however_many() -> None:
    machine = Machine()
    for _ in range(100):
        machine.passes(DAY_MS)
        machine.wall.advance(29_000)
        assert machine.clock.now_ms() == machine.wall.now_ms()
    assert machine.clock.fault() is None


def opened(path: Path, machine: Machine) -> Chain:
    rich = Keypair().pubkey()
    return open_chain(path / "ledger.sqlite", Keypair(), machine.clock, lambda: (Genesis(rich, {rich: 10**15}), {}))


def test_no_block_is_dated_while_the_clock_is_astray(tmp_path: Path) -> None:
    machine = Machine()
    chain = opened(tmp_path, machine)
    server = RpcServer(chain, Producer(chain), faucet=True)
    request = b'{"jsonrpc": "2.0", "id": 1, "method": "requestAirdrop", "params": ["%s", 1000000]}'
    airdrop = request % str(Keypair().pubkey()).encode()
    assert "result" in server.answer(airdrop)
    chain.commit()
    head, height = chain.head, chain.height()
    machine.wall.advance(30 * DAY_MS)
    assert "set the clock back" in server.answer(airdrop)["error"]["message"]
    assert server.answer(b'{"jsonrpc": "2.0", "id": 1, "method": "getHealth"}')["error"]["code"] == -32005
    with pytest.raises(ClockJumpedError, match="restart the ledger"):
        chain.submit(None, b"")  # type: ignore[arg-type] # it is not looked at
    assert chain.height() == height
    # what was taken before becomes final all the same, at the time that passed
    machine.passes(400)
    chain.finalise()
    assert chain.head.time_ms == head.time_ms + 400
    machine.wall.advance(-30 * DAY_MS)
    assert "result" in server.answer(airdrop)
    chain.close()


@pytest.mark.parametrize("gap_ms", [0, -30_000, 1, 30 * DAY_MS])
def test_a_plausible_gap_needs_no_word(gap_ms: int) -> None:
    check_gap(HEAD, START_MS + gap_ms, accepted_days=0)


@pytest.mark.parametrize(
    ("gap_ms", "gap_text", "days"),
    [
        (-31_000, "31 seconds behind", -1),
        (-5 * DAY_MS, "5.0 days behind", -5),
        (30 * DAY_MS + 1, "30.0 days after", 31),
        (400 * DAY_MS, "400.0 days after", 400),
    ],
)
def test_an_unusual_gap_is_named_with_the_flag_that_accepts_it(gap_ms: int, gap_text: str, days: int) -> None:
    with pytest.raises(LedgerClockError, match=f"{gap_text} the last block .*--clock-gap-days {days};"):
        check_gap(HEAD, START_MS + gap_ms, accepted_days=0)
    check_gap(HEAD, START_MS + gap_ms, accepted_days=days)
    with pytest.raises(LedgerClockError):
        check_gap(HEAD, START_MS + gap_ms, accepted_days=-days)


def test_a_ledger_from_the_future_does_not_open(tmp_path: Path) -> None:
    machine = Machine()
    rich, authority = Keypair().pubkey(), Keypair()
    genesis = Genesis(rich, {rich: 10**15})
    open_chain(tmp_path / "l.sqlite", authority, machine.wall, lambda: (genesis, {})).repository.close()
    machine.wall.advance(-DAY_MS)
    with pytest.raises(LedgerClockError, match="--clock-gap-days -1;"):
        open_chain(tmp_path / "l.sqlite", authority, machine.wall, lambda: (genesis, {}))
    chain = open_chain(tmp_path / "l.sqlite", authority, machine.wall, lambda: (genesis, {}), Limits(gap_days=-1))
    assert chain.head.time_ms == START_MS
    chain.repository.close()
