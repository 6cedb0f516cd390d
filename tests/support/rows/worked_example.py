"""The worked example of the market's rules and two variations of it: the input, and every line of the settlement.

Tests of the pure market and tests on the real programs use the same examples.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from hub.market.auction.residuals import MeteredEnergy, UnsettledDebits
from hub.market.auction.run import AuctionInput
from hub.market.funds import ParticipantFunds
from hub.market.orders import Order, Rates, Side, Trade, trade_id
from hub.units import Micros, PriceMills, Wh

START_S = 1_780_308_000  # 2026-06-01 10:00 UTC
INTERVAL_S = 900
A, B, C = (UUID(int=n) for n in (0xA, 0xB, 0xC))
RATES = Rates(PriceMills(100), PriceMills(25), PriceMills(5), PriceMills(2200), PriceMills(5000))
AMPLE = ParticipantFunds(
    balance_micros=Micros(50_000_000),
    reserve_micros=Micros(20_000_000),
    max_price_mills=PriceMills(5000),
    min_price_mills=PriceMills(2200),
    max_wh=Wh(100_000),
    max_debit_micros=Micros(20_000_000),
    max_day_debit_micros=Micros(100_000_000),
    day_debit_micros=Micros(0),
)
FORWARD_WH, FORWARD_MILLS = Wh(600), PriceMills(3000)


@dataclass(frozen=True)
class ExpectedLine:
    """A settlement line to the Wh and the micro."""

    participant_id: UUID
    sold_wh: int
    bought_wh: int
    credit_micros: int
    debit_micros: int


@dataclass(frozen=True)
class Example:
    """An auction's input with everything that must result from it; lines of payers first."""

    name: str
    inputs: AuctionInput
    minted_wh: int
    price_mills: int
    ex_post: Mapping[UUID, int]
    """Wh in the auction by participant: sold is positive, bought negative."""
    utility_wh: Mapping[UUID, int]
    lines: tuple[ExpectedLine, ...]
    charges: tuple[int, int, int]
    """Wheeling, platform and loss charges in micros."""


def _order(participant: UUID, side: Side) -> Order:
    order_id = bytes([participant.int]) * 32
    return Order(order_id, START_S, participant, side, 1, FORWARD_WH, FORWARD_MILLS, "limit")


ASK, BID = _order(A, Side.ASK), _order(B, Side.BID)
FORWARD = Trade(
    trade_id(START_S, ASK.order_id, BID.order_id, 0, FORWARD_WH, FORWARD_MILLS),
    START_S, "forward", A, B, ASK.order_id, BID.order_id, 0, FORWARD_WH, FORWARD_MILLS,
)  # fmt: skip
B_UNSETTLED = UnsettledDebits(Micros(1_878_000), Micros(1_878_000))

BASE_CASE = AuctionInput(
    start_s=START_S,
    metered=(
        MeteredEnergy(A, Wh(100), Wh(1000), valid=True),
        MeteredEnergy(B, Wh(500), Wh(0), valid=True),
        MeteredEnergy(C, Wh(800), Wh(0), valid=True),
    ),
    rates=RATES,
    funds={A: AMPLE, B: AMPLE, C: AMPLE},
    forward=(FORWARD,),
    forward_orders=(ASK, BID),
    unsettled={B: B_UNSETTLED},
)

BASE = Example(
    name="as it stands",
    inputs=BASE_CASE,
    minted_wh=1000,
    price_mills=4120,
    ex_post={A: 300, B: 100, C: -400},
    utility_wh={A: 0, B: 0, C: -400},
    lines=(
        ExpectedLine(B, 100, 600, 412_000, 1_878_000),
        ExpectedLine(C, 0, 400, 0, 1_700_000),
        ExpectedLine(A, 900, 0, 3_036_000, 0),
    ),
    charges=(100_000, 25_000, 5_000),
)

A_ESTIMATED = Example(
    name="A's meter is missing at attestation",
    # the estimate repeats an earlier interval: 150 Wh in, 700 Wh out
    inputs=replace(BASE_CASE, metered=(MeteredEnergy(A, Wh(150), Wh(700), valid=False), *BASE_CASE.metered[1:])),
    minted_wh=0,
    price_mills=4120,
    ex_post={B: 100, C: -100},
    utility_wh={A: -50, B: 0, C: -700},
    lines=(
        ExpectedLine(B, 100, 600, 412_000, 1_878_000),
        ExpectedLine(C, 0, 100, 0, 425_000),
        ExpectedLine(A, 600, 0, 1_800_000, 0),
    ),
    charges=(70_000, 17_500, 3_500),
)

C_SHORT = Example(
    name="C's reserve is 1,000,000 micros",
    inputs=replace(BASE_CASE, funds={A: AMPLE, B: AMPLE, C: replace(AMPLE, reserve_micros=Micros(1_000_000))}),
    minted_wh=1000,
    price_mills=2200,
    ex_post={A: 176, B: 59, C: -235},
    utility_wh={A: 124, B: 41, C: -565},
    lines=(
        ExpectedLine(B, 59, 600, 129_800, 1_878_000),
        ExpectedLine(C, 0, 235, 0, 547_550),
        ExpectedLine(A, 776, 0, 2_187_200, 0),
    ),
    charges=(83_500, 20_875, 4_175),
)

EXAMPLES = (BASE, A_ESTIMATED, C_SHORT)
