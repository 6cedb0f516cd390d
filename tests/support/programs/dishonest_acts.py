"""Everything that a hub with the settler's and the attestors' keys may try, and what must come of it.

Each act is played by the programs as deployed; docs/audit.md has a row for each, under the same title.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256

from hub.market.orders import Side
from hub.units import PriceMills
from support.programs.campus_chain import INTERVAL_S
from support.programs.chain_lines import ChainLine
from support.programs.dishonest_hub import Metering, Stage, Told, order_of
from support.programs.svm import START

HONEST = {"anna": 3_708_000, "ben": -1_470_500, "cleo": -2_354_500}
"""What everybody gets and pays when the rules are kept."""
TWICE = {name: 2 * micros for name, micros in HONEST.items()}
ACCOUNT_EXISTS = f"{'1' * 32}:0x0"
"""The system program's: it makes an account at an address once."""

NET_MILLS, MOST_MILLS = 4_120, 4_870
"""What a buyer's standing limit leaves the seller, and what the mandate would."""


@dataclass(frozen=True)
class Done:
    """What the hub told in the end, and the name of the refusal that ended it, if one did."""

    told: Told
    refused: str | None


@dataclass(frozen=True)
class DishonestAct:
    """``gains`` are everybody's micros when all is over, ``afterwards`` included."""

    title: str
    play: Callable[[Stage], Done]
    gains: Mapping[str, int]
    refused: str | None = None
    outsider: frozenset[str] = frozenset()
    """The checks that anybody finds it with."""
    participants: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """The checks that only these find it with."""
    afterwards: Callable[[Stage, Told], None] | None = None
    """What others can do about it."""


def by(*checks: str) -> frozenset[str]:
    return frozenset(checks)


def _played(stage: Stage, told: Told) -> Done:
    return Done(told, stage.play(told))


def bought_of_mallory(stage: Stage, wh: int, debit_micros: int) -> tuple[ChainLine, ...]:
    """Ben buys of Mallory, who has nothing to sell."""
    return (
        ChainLine(stage.wallet("ben"), bought_wh=wh, debit_micros=debit_micros),
        ChainLine(stage.wallet("mallory"), sold_wh=wh, credit_micros=debit_micros - 130 * wh),
    )


def beyond_the_mandate(stage: Stage) -> Done:
    return _played(stage, replace(stage.honest(), lines=bought_of_mallory(stage, 100, 500_100), hidden=True))


def beyond_the_balance(stage: Stage) -> Done:
    first, second = (
        replace(stage.honest(start), lines=bought_of_mallory(stage, 1_600, 8_000_000), hidden=True)
        for start in (START, START + INTERVAL_S)
    )
    assert stage.play(first) is None
    return _played(stage, second)


def for_a_friend(stage: Stage) -> Done:
    return _played(stage, replace(stage.honest(), lines=bought_of_mallory(stage, 1_600, 8_000_000), hidden=True))


def orders_in_others_names(stage: Stage) -> Done:
    told = stage.honest()
    for name in ("ben", "cleo"):
        told = told.ordering(order_of(told, stage.people[name]), limit_mills=MOST_MILLS)
    return _played(stage, stage.cleared(told))


def orders_of_nobody(stage: Stage) -> Done:
    told = stage.honest()
    ben = order_of(told, stage.people["ben"])
    nameless = replace(ben, order_id=sha256(b"nobody's").digest(), limit_mills=PriceMills(MOST_MILLS))
    return _played(stage, stage.cleared(replace(told, orders=tuple(nameless if o is ben else o for o in told.orders))))


def another_price(stage: Stage) -> Done:
    told = stage.honest()
    told = replace(told, lines=stage.priced(told, 4_500).lines)
    refused = stage.attest(told) or stage.open(told, clearing_price_mills=4_500) or stage.settle(told)
    return Done(told, refused or stage.close(told))


def another_price_published(stage: Stage) -> Done:
    return _played(stage, stage.priced(stage.honest(), 4_500))


def beyond_the_tariff(stage: Stage) -> Done:
    told = stage.honest()
    anna = order_of(told, stage.people["anna"])
    return _played(stage, stage.cleared(told.ordering(anna, limit_mills=2_100)))


def charges_of_its_own(stage: Stage) -> Done:
    told = stage.honest()
    first, *others = told.lines
    return _played(stage, replace(told, lines=(replace(first, debit_micros=first.debit_micros + 1), *others)))


def settled_twice(stage: Stage) -> Done:
    told = stage.honest()
    assert stage.play(told) is None
    return Done(told, stage.settle(told))


def opened_twice(stage: Stage) -> Done:
    told = stage.honest()
    assert stage.play(told) is None
    return Done(told, stage.open(told))


def attested_twice(stage: Stage) -> Done:
    told = stage.honest()
    assert stage.play(told) is None
    return Done(told, stage.attest(told))


def _repeated(stage: Stage) -> Told:
    """The next interval, in which nothing is measured, told as the one before."""
    assert stage.play(stage.honest()) is None
    told = stage.honest(START + INTERVAL_S)
    stage.rest()
    return told


def energy_sold_again(stage: Stage) -> Done:
    told = _repeated(stage)
    return _played(stage, replace(told, meters=tuple(person.measured for person in stage.metered)))


def energy_attested_again(stage: Stage) -> Done:
    return _played(stage, _repeated(stage))


def attested_early(stage: Stage) -> Done:
    told, campus = stage.honest(), stage.exchange.campus
    return Done(told, campus.chain.send(campus.attest(told.start_s), signers=campus.attestors[:2]).error)


def attested_late(stage: Stage) -> Done:
    told = replace(stage.honest(), start_s=START - 50 * INTERVAL_S)
    return Done(told, stage.attest(told) or stage.open(told))


def meter_left_out(stage: Stage) -> Done:
    return _played(stage, _without_ben(stage))


def meter_replaced(stage: Stage) -> Done:
    told = _without_ben(stage)
    return _played(stage, replace(told, meters=(*told.meters, Metering("METER_999", 500, 0))))


def _without_ben(stage: Stage) -> Told:
    told, ben = stage.honest(), stage.people["ben"]
    orders = tuple(order for order in told.orders if order.participant_id != ben.participant_id)
    meters = tuple(meter for meter in told.meters if meter != ben.measured)
    return stage.cleared(replace(told, orders=orders, meters=meters))


def order_left_out(stage: Stage) -> Done:
    told, cleo = stage.honest(), stage.people["cleo"]
    orders = tuple(order for order in told.orders if order.participant_id != cleo.participant_id)
    return _played(stage, stage.cleared(replace(told, orders=orders)))


def line_left_out(stage: Stage) -> Done:
    told = stage.honest()
    ben, _, anna = told.lines
    less = replace(anna, sold_wh=ben.bought_wh, credit_micros=ben.bought_wh * NET_MILLS)
    return _played(stage, replace(told, lines=(ben, less)))


def _misdirected(stage: Stage, told: Told) -> Told:
    *buyers, anna = told.lines
    return replace(told, lines=(*buyers, replace(anna, wallet=stage.wallet("mallory"))))


def line_misdirected(stage: Stage) -> Done:
    return _played(stage, _misdirected(stage, stage.honest()))


def line_changed(stage: Stage) -> Done:
    told = stage.honest()
    assert (stage.attest(told), stage.open(told)) == (None, None)
    told = _misdirected(stage, told)
    assert stage.settle(told) is None
    return Done(told, stage.close(told))


def closed_empty(stage: Stage) -> Done:
    told = stage.honest()
    assert stage.attest(told) is None
    made = stage.exchange.close_empty(told.start_s)
    return Done(told, stage.exchange.chain.send(made, signers=[stage.exchange.settler]).error)


def closed_empty_unpublished(stage: Stage) -> Done:
    done = closed_empty(stage)
    buying = tuple(order for order in done.told.orders if order.side is Side.BID)
    return Done(stage.cleared(replace(done.told, orders=buying)), done.refused)


def taken_back(stage: Stage) -> Done:
    told, exchange = stage.honest(), stage.exchange
    assert (stage.attest(told), stage.open(told), stage.settle(told)) == (None, None, None)
    exchange.chain.ok(exchange.abort(told.start_s), signers=[exchange.settler])
    exchange.unwind(told.start_s, told.lines)
    return Done(told, None)


def never_closed(stage: Stage) -> Done:
    told = stage.honest()
    assert (stage.attest(told), stage.open(told), stage.settle(told)) == (None, None, None)
    stage.exchange.chain.advance(2 * 86_400)
    return Done(told, None)


def _invented(stage: Stage, export_wh: int) -> Done:
    told, anna = stage.honest(), stage.people["anna"]
    more = replace(anna.measured, export_wh=export_wh)
    told = replace(told, meters=tuple(more if meter == anna.measured else meter for meter in told.meters))
    told = told.ordering(order_of(told, anna), wh=export_wh - more.import_wh)
    return _played(stage, stage.cleared(told))


def energy_invented(stage: Stage) -> Done:
    return _invented(stage, 5_000)


def energy_invented_within_reason(stage: Stage) -> Done:
    return _invented(stage, 2_900)


LONG = {"anna": 2_860_000, "ben": -1_165_000, "cleo": -1_864_000}
"""Supply is long: 500 and 800 Wh at the export tariff."""

DISHONEST_ACTS = (
    DishonestAct("take more than a mandate allows", beyond_the_mandate, {}, "MandateExceededMaxPrice",
         outsider=by("journal_committed"), afterwards=Stage.end_as_anybody),
    DishonestAct("take it again when the balance is used up", beyond_the_balance,
         {"ben": -8_000_000, "mallory": 7_792_000}, "InsufficientBalance", outsider=by("journal_committed")),
    DishonestAct("take what a mandate allows, for a friend", for_a_friend, {"ben": -8_000_000, "mallory": 7_792_000},
         outsider=by("journal_committed", "sellers_generate")),
    DishonestAct("raise the limits of others' orders", orders_in_others_names,
         {"anna": 4_383_000, "ben": -1_730_000, "cleo": -2_770_000},
         participants={"ben": by("own_order"), "cleo": by("own_order"), "anna": by()}),
    DishonestAct("trade with an order that nobody placed", orders_of_nobody,
         {"anna": 3_708_000, "ben": -2_125_000, "cleo": -1_700_000},
         participants={"ben": by("own_order", "own_line"), "cleo": by()}),
    DishonestAct("settle at another price than the journal's", another_price,
         {"anna": 4_050_000, "ben": -1_601_980, "cleo": -2_565_020},
         outsider=by("journal_committed", "trades_net_to_lines"), participants={"ben": by("own_line")}),
    DishonestAct("publish another price than the orders clear at", another_price_published,
         {"anna": 4_050_000, "ben": -1_601_980, "cleo": -2_565_020}, outsider=by("clears_again")),
    DishonestAct("sell below the utility's tariff", beyond_the_tariff, HONEST, outsider=by("limits_within_tariffs"),
         participants={"anna": by("own_order")}),
    DishonestAct("take charges that governance has not decided", charges_of_its_own, {}, "SumMismatch"),
    DishonestAct("settle lines twice", settled_twice, HONEST, "AlreadySettled"),
    DishonestAct("open an interval twice", opened_twice, HONEST, ACCOUNT_EXISTS),
    DishonestAct("attest an interval twice", attested_twice, HONEST, ACCOUNT_EXISTS),
    DishonestAct("sell the same energy in the next interval", energy_sold_again, TWICE, outsider=by("orders_backed"),
         participants={"anna": by("own_order"), "ben": by("own_order")}),
    DishonestAct("attest and sell the same energy in the next interval", energy_attested_again, TWICE,
         participants={"anna": by("own_energy_signed"), "ben": by("own_energy_signed")}),
    DishonestAct("attest an interval before it is over", attested_early, {}, "NotEnded"),
    DishonestAct("attest an interval long after it", attested_late, {}, "TooLate", outsider=by("attested_in_time")),
    DishonestAct("leave a meter out of the interval", meter_left_out, {"anna": 1_760_000, "cleo": -1_864_000},
         outsider=by("meters_attested"), participants={"ben": by("own_meter_attested")}),
    DishonestAct("put a made-up meter in another's place", meter_replaced, {"anna": 1_760_000, "cleo": -1_864_000},
         participants={"ben": by("own_meter_attested"), "anna": by()}),
    DishonestAct("leave an order out of the auction", order_left_out, {"anna": 1_100_000, "ben": -1_165_000},
         participants={"cleo": by("own_order"), "ben": by()}),
    DishonestAct("leave a line out of the settlement", line_left_out, {"anna": 1_425_520, "ben": -1_470_500},
         outsider=by("trades_net_to_lines"), participants={"cleo": by("own_line"), "anna": by("own_line")}),
    DishonestAct("pay a friend for what another sold", line_misdirected,
         {"ben": -1_470_500, "cleo": -2_354_500, "mallory": 3_708_000}, outsider=by("sellers_generate"),
         participants={"anna": by("own_line")}),
    DishonestAct("change a line after the commitment", line_changed, {}, "RootMismatch",
         outsider=by("lines_committed", "sellers_generate"), participants={"anna": by("own_line")},
         afterwards=Stage.end_as_anybody),
    DishonestAct("close an interval as if nothing had been traded", closed_empty, {},
         outsider=by("empty_without_trades")),
    DishonestAct("close it so, and publish no orders of sellers", closed_empty_unpublished, {},
         participants={"anna": by("own_order")}),
    DishonestAct("take credits back", taken_back, {}, outsider=by("not_taken_back")),
    DishonestAct("leave payers' money in escrow", never_closed, {}, outsider=by("settled_in_time"),
         afterwards=Stage.end_as_anybody),
    DishonestAct("invent more energy than the meters can pass", energy_invented, LONG, outsider=by("energy_possible"),
         participants={"anna": by("own_energy_signed")}),
    DishonestAct("invent energy that a meter could have passed", energy_invented_within_reason, LONG,
         participants={"anna": by("own_energy_signed")}),
)  # fmt: skip
