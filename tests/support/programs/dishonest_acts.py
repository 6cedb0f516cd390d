"""Everything that a dishonest hub with the keys of the settler and the attestors can try, and the expected outcome.

Each act is played by the programs as deployed; docs/audit.md has a row for each, under the same title.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256

from hub.market.orders import Side
from hub.units import PriceMills
from support.programs.campus_chain import INTERVAL_S
from support.programs.chain_lines import ChainLine
from support.programs.dishonest_hub import HubStatement, Metering, Stage, order_of
from support.programs.svm import START

HONEST = {"anna": 3_708_000, "ben": -1_470_500, "cleo": -2_354_500}
"""Micros that each gets or pays when the hub keeps the rules."""
TWICE = {name: 2 * micros for name, micros in HONEST.items()}
ACCOUNT_EXISTS = f"{'1' * 32}:0x0"
"""The system program's: it makes an account at an address once."""

NET_MILLS, MOST_MILLS = 4_120, 4_870
"""The seller's price at the buyer's standing limit, and at the limit of the buyer's mandate."""


@dataclass(frozen=True)
class ActResult:
    """The hub's last statement, and the name of the refusal that ended the act, if there was one."""

    statement: HubStatement
    refused: str | None


@dataclass(frozen=True)
class DishonestAct:
    """An act and its outcome; ``gains`` are the micros that each has won or lost in the end, after ``afterwards``."""

    title: str
    play: Callable[[Stage], ActResult]
    gains: Mapping[str, int]
    refused: str | None = None
    outsider: frozenset[str] = frozenset()
    """The checks that fail for anybody who audits."""
    participants: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """The checks that fail for these participants only."""
    afterwards: Callable[[Stage, HubStatement], None] | None = None
    """What others can do against it."""


def checks(*names: str) -> frozenset[str]:
    """Names checks of `hub.audit`."""
    return frozenset(names)


def _played(stage: Stage, statement: HubStatement) -> ActResult:
    return ActResult(statement, stage.play(statement))


def bought_of_mallory(stage: Stage, wh: int, debit_micros: int) -> tuple[ChainLine, ...]:
    """Ben buys of Mallory, who has nothing to sell."""
    return (
        ChainLine(stage.wallet("ben"), bought_wh=wh, debit_micros=debit_micros),
        ChainLine(stage.wallet("mallory"), sold_wh=wh, credit_micros=debit_micros - 130 * wh),
    )


def beyond_the_mandate(stage: Stage) -> ActResult:
    return _played(stage, replace(stage.honest(), lines=bought_of_mallory(stage, 100, 500_100), hidden=True))


def beyond_the_balance(stage: Stage) -> ActResult:
    first, second = (
        replace(stage.honest(start), lines=bought_of_mallory(stage, 1_600, 8_000_000), hidden=True)
        for start in (START, START + INTERVAL_S)
    )
    assert stage.play(first) is None
    return _played(stage, second)


def for_a_friend(stage: Stage) -> ActResult:
    return _played(stage, replace(stage.honest(), lines=bought_of_mallory(stage, 1_600, 8_000_000), hidden=True))


def orders_in_others_names(stage: Stage) -> ActResult:
    statement = stage.honest()
    for name in ("ben", "cleo"):
        statement = statement.ordering(order_of(statement, stage.people[name]), limit_mills=MOST_MILLS)
    return _played(stage, stage.cleared(statement))


def orders_of_nobody(stage: Stage) -> ActResult:
    statement = stage.honest()
    ben = order_of(statement, stage.people["ben"])
    nameless = replace(ben, order_id=sha256(b"nobody's").digest(), limit_mills=PriceMills(MOST_MILLS))
    orders = tuple(nameless if order is ben else order for order in statement.orders)
    return _played(stage, stage.cleared(replace(statement, orders=orders)))


def another_price(stage: Stage) -> ActResult:
    statement = stage.honest()
    statement = replace(statement, lines=stage.priced(statement, 4_500).lines)
    refused = stage.attest(statement) or stage.open(statement, clearing_price_mills=4_500) or stage.settle(statement)
    return ActResult(statement, refused or stage.close(statement))


def another_price_published(stage: Stage) -> ActResult:
    return _played(stage, stage.priced(stage.honest(), 4_500))


def beyond_the_tariff(stage: Stage) -> ActResult:
    statement = stage.honest()
    anna = order_of(statement, stage.people["anna"])
    return _played(stage, stage.cleared(statement.ordering(anna, limit_mills=2_100)))


def charges_of_its_own(stage: Stage) -> ActResult:
    statement = stage.honest()
    first, *others = statement.lines
    return _played(stage, replace(statement, lines=(replace(first, debit_micros=first.debit_micros + 1), *others)))


def settled_twice(stage: Stage) -> ActResult:
    statement = stage.honest()
    assert stage.play(statement) is None
    return ActResult(statement, stage.settle(statement))


def opened_twice(stage: Stage) -> ActResult:
    statement = stage.honest()
    assert stage.play(statement) is None
    return ActResult(statement, stage.open(statement))


def attested_twice(stage: Stage) -> ActResult:
    statement = stage.honest()
    assert stage.play(statement) is None
    return ActResult(statement, stage.attest(statement))


def _repeated(stage: Stage) -> HubStatement:
    """Returns a statement about the next interval that repeats the one before; nothing was measured in it."""
    assert stage.play(stage.honest()) is None
    statement = stage.honest(START + INTERVAL_S)
    stage.rest()
    return statement


def energy_sold_again(stage: Stage) -> ActResult:
    statement = _repeated(stage)
    return _played(stage, replace(statement, meters=tuple(person.measured for person in stage.metered)))


def energy_attested_again(stage: Stage) -> ActResult:
    return _played(stage, _repeated(stage))


def attested_early(stage: Stage) -> ActResult:
    statement, campus = stage.honest(), stage.exchange.campus
    return ActResult(statement, campus.chain.send(campus.attest(statement.start_s), signers=campus.attestors[:2]).error)


def attested_late(stage: Stage) -> ActResult:
    statement = replace(stage.honest(), start_s=START - 50 * INTERVAL_S)
    return ActResult(statement, stage.attest(statement) or stage.open(statement))


def meter_left_out(stage: Stage) -> ActResult:
    return _played(stage, _without_ben(stage))


def meter_replaced(stage: Stage) -> ActResult:
    statement = _without_ben(stage)
    return _played(stage, replace(statement, meters=(*statement.meters, Metering("METER_999", 500, 0))))


def _without_ben(stage: Stage) -> HubStatement:
    statement, ben = stage.honest(), stage.people["ben"]
    orders = tuple(order for order in statement.orders if order.participant_id != ben.participant_id)
    meters = tuple(meter for meter in statement.meters if meter != ben.measured)
    return stage.cleared(replace(statement, orders=orders, meters=meters))


def order_left_out(stage: Stage) -> ActResult:
    statement, cleo = stage.honest(), stage.people["cleo"]
    orders = tuple(order for order in statement.orders if order.participant_id != cleo.participant_id)
    return _played(stage, stage.cleared(replace(statement, orders=orders)))


def line_left_out(stage: Stage) -> ActResult:
    statement = stage.honest()
    ben, _, anna = statement.lines
    less = replace(anna, sold_wh=ben.bought_wh, credit_micros=ben.bought_wh * NET_MILLS)
    return _played(stage, replace(statement, lines=(ben, less)))


def _misdirected(stage: Stage, statement: HubStatement) -> HubStatement:
    *buyers, anna = statement.lines
    return replace(statement, lines=(*buyers, replace(anna, wallet=stage.wallet("mallory"))))


def line_misdirected(stage: Stage) -> ActResult:
    return _played(stage, _misdirected(stage, stage.honest()))


def line_changed(stage: Stage) -> ActResult:
    statement = stage.honest()
    assert (stage.attest(statement), stage.open(statement)) == (None, None)
    statement = _misdirected(stage, statement)
    assert stage.settle(statement) is None
    return ActResult(statement, stage.close(statement))


def closed_empty(stage: Stage) -> ActResult:
    statement = stage.honest()
    assert stage.attest(statement) is None
    made = stage.exchange.close_empty(statement.start_s)
    return ActResult(statement, stage.exchange.chain.send(made, signers=[stage.exchange.settler]).error)


def closed_empty_unpublished(stage: Stage) -> ActResult:
    result = closed_empty(stage)
    buying = tuple(order for order in result.statement.orders if order.side is Side.BID)
    return ActResult(stage.cleared(replace(result.statement, orders=buying)), result.refused)


def taken_back(stage: Stage) -> ActResult:
    statement, exchange = stage.honest(), stage.exchange
    assert (stage.attest(statement), stage.open(statement), stage.settle(statement)) == (None, None, None)
    exchange.chain.ok(exchange.abort(statement.start_s), signers=[exchange.settler])
    exchange.unwind(statement.start_s, statement.lines)
    return ActResult(statement, None)


def never_closed(stage: Stage) -> ActResult:
    statement = stage.honest()
    assert (stage.attest(statement), stage.open(statement), stage.settle(statement)) == (None, None, None)
    stage.exchange.chain.advance(2 * 86_400)
    return ActResult(statement, None)


def _invented(stage: Stage, export_wh: int) -> ActResult:
    statement, anna = stage.honest(), stage.people["anna"]
    more = replace(anna.measured, export_wh=export_wh)
    statement = replace(
        statement, meters=tuple(more if meter == anna.measured else meter for meter in statement.meters)
    )
    statement = statement.ordering(order_of(statement, anna), wh=export_wh - more.import_wh)
    return _played(stage, stage.cleared(statement))


def energy_invented(stage: Stage) -> ActResult:
    return _invented(stage, 5_000)


def energy_invented_within_reason(stage: Stage) -> ActResult:
    return _invented(stage, 2_900)


LONG = {"anna": 2_860_000, "ben": -1_165_000, "cleo": -1_864_000}
"""Supply is long: 500 and 800 Wh at the export tariff."""

DISHONEST_ACTS = (
    DishonestAct("take more than a mandate allows", beyond_the_mandate, {}, "MandateExceededMaxPrice",
         outsider=checks("journal_committed"), afterwards=Stage.end_as_anybody),
    DishonestAct("take it again when the balance is used up", beyond_the_balance,
         {"ben": -8_000_000, "mallory": 7_792_000}, "InsufficientBalance", outsider=checks("journal_committed")),
    DishonestAct("take what a mandate allows, for a friend", for_a_friend, {"ben": -8_000_000, "mallory": 7_792_000},
         outsider=checks("journal_committed", "sellers_generate")),
    DishonestAct("raise the limits of others' orders", orders_in_others_names,
         {"anna": 4_383_000, "ben": -1_730_000, "cleo": -2_770_000},
         participants={"ben": checks("own_order"), "cleo": checks("own_order"), "anna": checks()}),
    DishonestAct("trade with an order that nobody placed", orders_of_nobody,
         {"anna": 3_708_000, "ben": -2_125_000, "cleo": -1_700_000},
         participants={"ben": checks("own_order", "own_line"), "cleo": checks()}),
    DishonestAct("settle at another price than the journal's", another_price,
         {"anna": 4_050_000, "ben": -1_601_980, "cleo": -2_565_020},
         outsider=checks("journal_committed", "trades_net_to_lines"), participants={"ben": checks("own_line")}),
    DishonestAct("publish another price than the orders clear at", another_price_published,
         {"anna": 4_050_000, "ben": -1_601_980, "cleo": -2_565_020}, outsider=checks("clears_again")),
    DishonestAct("sell below the utility's tariff", beyond_the_tariff, HONEST, outsider=checks("limits_within_tariffs"),
         participants={"anna": checks("own_order")}),
    DishonestAct("take charges that governance has not decided", charges_of_its_own, {}, "SumMismatch"),
    DishonestAct("settle lines twice", settled_twice, HONEST, "AlreadySettled"),
    DishonestAct("open an interval twice", opened_twice, HONEST, ACCOUNT_EXISTS),
    DishonestAct("attest an interval twice", attested_twice, HONEST, ACCOUNT_EXISTS),
    DishonestAct("sell the same energy in the next interval", energy_sold_again, TWICE,
         outsider=checks("orders_backed"), participants={"anna": checks("own_order"), "ben": checks("own_order")}),
    DishonestAct("attest and sell the same energy in the next interval", energy_attested_again, TWICE,
         participants={"anna": checks("own_energy_signed"), "ben": checks("own_energy_signed")}),
    DishonestAct("attest an interval before it is over", attested_early, {}, "NotEnded"),
    DishonestAct("attest an interval long after it", attested_late, {}, "TooLate", outsider=checks("attested_in_time")),
    DishonestAct("leave a meter out of the interval", meter_left_out, {"anna": 1_760_000, "cleo": -1_864_000},
         outsider=checks("meters_attested"), participants={"ben": checks("own_meter_attested")}),
    DishonestAct("put a made-up meter in another's place", meter_replaced, {"anna": 1_760_000, "cleo": -1_864_000},
         participants={"ben": checks("own_meter_attested"), "anna": checks()}),
    DishonestAct("leave an order out of the auction", order_left_out, {"anna": 1_100_000, "ben": -1_165_000},
         participants={"cleo": checks("own_order"), "ben": checks()}),
    DishonestAct("leave a line out of the settlement", line_left_out, {"anna": 1_425_520, "ben": -1_470_500},
         outsider=checks("trades_net_to_lines"), participants={"cleo": checks("own_line"), "anna": checks("own_line")}),
    DishonestAct("pay a friend for what another sold", line_misdirected,
         {"ben": -1_470_500, "cleo": -2_354_500, "mallory": 3_708_000}, outsider=checks("sellers_generate"),
         participants={"anna": checks("own_line")}),
    DishonestAct("change a line after the commitment", line_changed, {}, "RootMismatch",
         outsider=checks("lines_committed", "sellers_generate"), participants={"anna": checks("own_line")},
         afterwards=Stage.end_as_anybody),
    DishonestAct("close an interval as if nothing had been traded", closed_empty, {},
         outsider=checks("empty_without_trades")),
    DishonestAct("close it so, and publish no orders of sellers", closed_empty_unpublished, {},
         participants={"anna": checks("own_order")}),
    DishonestAct("take credits back", taken_back, {}, outsider=checks("not_taken_back")),
    DishonestAct("leave payers' money in escrow", never_closed, {}, outsider=checks("settled_in_time"),
         afterwards=Stage.end_as_anybody),
    DishonestAct("invent more energy than the meters can pass", energy_invented, LONG,
         outsider=checks("energy_possible"), participants={"anna": checks("own_energy_signed")}),
    DishonestAct("invent energy that a meter could have passed", energy_invented_within_reason, LONG,
         participants={"anna": checks("own_energy_signed")}),
)  # fmt: skip
