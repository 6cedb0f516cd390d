"""Each finding of the checks that need only the chain, in its words: a forgery that it alone finds, up to its bound."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from edge.wire import merkle
from edge.wire.ladder import line_leaf
from hub.audit.audit import check_interval
from hub.audit.checks import Verdict
from hub.audit.facts import (
    ABORT_AFTER_S,
    FEEDER_METER,
    LOAD_METER,
    MINTABLE_S,
    OPEN_WINDOW_S,
    PublicInterval,
    SettlementStatus,
)
from hub.units import Micros, PriceMills, Wh
from support.programs.public_facts import corrected, first, later, line, meter, settlement, unattested
from support.rows.worked_example import RATES

Change = Callable[[PublicInterval], PublicInterval]
METER_MAX_WH = 3_000
"""10 kW for 15 minutes, and a fifth more."""
SOLD = "line 2 sells 900 Wh more than it buys, and its wallet's meters generate {} at most"
LEFT_OUT = "revision {} speaks of 2 meters, and 3 have been registered and active since before its start"
ANOTHER_TIME = "revision {} is of another time, or older than the interval's end"
OTHER_RATES = replace(RATES, loss_mills=PriceMills(6))


def committed(interval: PublicInterval) -> PublicInterval:
    """Makes the settlement commit to the lines as they are shown."""
    start_s, lines = interval.start_s, interval.lines
    leaves = [line_leaf(start_s, index, line.wallet, *line.figures) for index, line in enumerate(lines)]
    return settlement(interval, lines_root=merkle.root(leaves), line_count=len(lines), cursor=len(lines))


def taken_back(interval: PublicInterval, after_s: int) -> PublicInterval:
    return settlement(interval, status=SettlementStatus.ABORTED, closed_s=interval.end_s + after_s)


FOUND: dict[str, tuple[Change, dict[str, str]]] = {
    "never attested": (
        lambda i: later(unattested(i), OPEN_WINDOW_S + 61),
        {"attested_in_time": "nobody has attested it 12 h 1 min after its end"},
    ),
    "attested a second late": (
        lambda i: first(i, attested_s=i.end_s + OPEN_WINDOW_S + 1),
        {"attested_in_time": "it was attested 12 h 0 min after its end"},
    ),
    "attested a second early": (
        lambda i: first(i, attested_s=i.end_s - 1),
        {"attested_in_time": ANOTHER_TIME.format(1)},
    ),
    "attested for an earlier start": (
        lambda i: first(i, start_s=i.start_s - 1),
        {"attested_in_time": ANOTHER_TIME.format(1)},
    ),
    "attested for a later end": (
        lambda i: first(i, end_s=i.end_s + 1, attested_s=i.end_s + 1),
        {"attested_in_time": ANOTHER_TIME.format(1)},
    ),
    "a correction for another time": (
        lambda i: corrected(i, start_s=i.start_s + 1),
        {"attested_in_time": ANOTHER_TIME.format(2)},
    ),
    "a meter left out": (
        lambda i: first(i, meters_valid=2),
        {"meters_attested": LEFT_OUT.format(1)},
    ),
    "a meter left out of a correction": (
        lambda i: corrected(i, meters_valid=1, meters_estimated=1),
        {"meters_attested": LEFT_OUT.format(2)},
    ),
    "more import than meters pass": (
        lambda i: first(i, import_wh=Wh(3 * METER_MAX_WH + 1)),
        {"energy_possible": "revision 1 attests 9001 Wh of import, the registered meters pass 9000 at most"},
    ),
    "more than meters pass beside a feeder": (
        lambda i: corrected(
            first(replace(i, meters=(*i.meters, replace(i.meters[0], kind=FEEDER_METER))), meters_valid=4),
            export_wh=Wh(METER_MAX_WH + 1),
        ),
        {"energy_possible": "revision 2 attests 3001 Wh of export, the registered meters pass 3000 at most"},
    ),
    "more export than generating meters pass": (
        lambda i: corrected(i, export_wh=Wh(METER_MAX_WH + 1)),
        {"energy_possible": "revision 2 attests 3001 Wh of export, the registered meters pass 3000 at most"},
    ),
    "more minted than attested": (
        lambda i: replace(i, minted_wh=Wh(1_001)),
        {"minted_as_attested": "1001 Wh were minted, 1000 Wh are attested in time to be minted"},
    ),
    "minted though attested too late": (
        lambda i: later(first(i, attested_s=i.end_s + MINTABLE_S + 1), MINTABLE_S + 2),
        {
            "attested_in_time": "it was attested 168 h 0 min after its end",
            "minted_as_attested": "1000 Wh were minted, 0 Wh are attested in time to be minted",
        },
    ),
    "minted without an attestation": (
        lambda i: replace(unattested(i), minted_wh=Wh(1_000)),
        {"minted_as_attested": "1000 Wh were minted, None Wh are attested in time to be minted"},
    ),
    "never settled": (
        lambda i: later(replace(i, settlement=None), ABORT_AFTER_S + 1),
        {"settled_in_time": "it is attested, and nobody has closed it 24 h 0 min after its end"},
    ),
    "opened a second early": (
        lambda i: settlement(i, opened_s=i.end_s - 1),
        {"settled_in_time": "its settlement was opened before its end"},
    ),
    "opened a second late": (
        lambda i: settlement(i, opened_s=i.end_s + OPEN_WINDOW_S + 1),
        {"settled_in_time": "its settlement was opened 12 h 0 min after its end"},
    ),
    "open for more than a day": (
        lambda i: later(settlement(i, status=SettlementStatus.OPEN), ABORT_AFTER_S + 1),
        {"settled_in_time": "its settlement is still open 24 h 0 min after its end"},
    ),
    "returning for more than a day": (
        lambda i: later(settlement(i, status=SettlementStatus.RETURNING, closed_s=0), ABORT_AFTER_S + 1),
        {"settled_in_time": "its settlement is still returning 24 h 0 min after its end"},
    ),
    "aborted within a day": (
        lambda i: later(taken_back(i, ABORT_AFTER_S - 1), 2 * ABORT_AFTER_S),
        {"not_taken_back": "its settlement was aborted within 23 h 59 min of its end, with 3 lines settled"},
    ),
    "lines on their way back within a day": (
        lambda i: later(settlement(i, status=SettlementStatus.RETURNING, closed_s=0, cursor=2), 3600),
        {"not_taken_back": "its settlement was aborted within 1 h 0 min of its end, with 2 lines settled"},
    ),
    "a line that the node does not show": (
        lambda i: replace(settlement(i, status=SettlementStatus.OPEN, cursor=2), lines=i.lines[:1]),
        {
            "lines_committed": (
                "the transactions that this node keeps show 1 lines, the settlement counts 2: ask one that keeps them "
                "all"
            )
        },
    ),
    "a wallet with two lines, as committed": (
        lambda i: committed(line(i, 0, wallet=i.lines[1].wallet)),
        {"lines_committed": "1 wallets have more than one line"},
    ),
    "a wallet with two lines so far": (
        lambda i: settlement(
            replace(i, lines=(i.lines[0], replace(i.lines[1], wallet=i.lines[0].wallet))),
            status=SettlementStatus.OPEN,
            cursor=2,
        ),
        {"lines_committed": "1 wallets have more than one line"},
    ),
    "lines in another order": (
        lambda i: replace(i, lines=(i.lines[1], i.lines[0], i.lines[2])),
        {"lines_committed": "the lines do not lead to the root that was committed to"},
    ),
    "other sums than the lines'": (
        lambda i: settlement(i, credit_micros=Micros(3_708_001), debit_micros=Micros(3_825_001)),
        {
            "lines_committed": (
                "the lines sum to (900, 900, 3708000, 3825000) (sold, bought, credit, debit), "
                "(900, 900, 3708001, 3825001) was committed to"
            )
        },
    ),
    "no lines, and sums": (
        lambda i: replace(settlement(i, line_count=0, cursor=0, lines_root=merkle.root([])), lines=(), journal=None,
                          journal_requested=False),
        {
            "lines_committed": (
                "the lines sum to (0, 0, 0, 0) (sold, bought, credit, debit), (900, 900, 3708000, 3825000) was "
                "committed to"
            )
        },
    ),
    "other rates than governance's": (
        lambda i: replace(i, rates=replace(RATES, export_tariff_mills=PriceMills(2_201))),
        {
            "charges_in_force": (
                f"it was settled at {RATES}, governance had "
                f"{replace(RATES, export_tariff_mills=PriceMills(2_201))} in force"
            )
        },
    ),
    "charges of other rates": (
        lambda i: replace(settlement(i, rates=OTHER_RATES), rates=OTHER_RATES, journal=None, journal_requested=False),
        {"charges_in_force": "117000 micros of charges were taken, 900 Wh at those rates make 117900"},
    ),
    "more sold than bought": (
        lambda i: committed(settlement(line(i, 2, sold_wh=Wh(901)), sold_wh=Wh(901))),
        {
            "charges_in_force": "901 Wh were sold and 900 Wh bought",
            "trades_net_to_lines": (
                "no rank's trades come to 901 Wh sold, 0 Wh bought, 3708000 micros credit, 0 micros debit, which was "
                "settled | a rank's trades come to 900 Wh sold, 0 Wh bought, 3708000 micros credit, 0 micros debit, "
                "which was not settled"
            ),
        },
    ),
    "a seller who generates nothing": (
        lambda i: meter(i, 0, kind=LOAD_METER),
        {
            "energy_possible": "revision 1 attests 1000 Wh of export, the registered meters pass 0 at most",
            "sellers_generate": SOLD.format(0),
        },
    ),
    "a seller without a meter": (
        lambda i: replace(i, meters=(replace(i.meters[0], owner=bytes(32)), *i.meters[1:])),
        {"sellers_generate": SOLD.format(0)},
    ),
    "a seller of a Wh more than their meter passes": (
        lambda i: first(meter(replace(i, meters=(*i.meters, replace(i.meters[0], owner=bytes(32)))), 0,
                              rated_power_w=2_996), meters_valid=4),
        {"sellers_generate": SOLD.format(898)},
    ),
}  # fmt: skip


@pytest.mark.parametrize("title", FOUND)
def test_what_is_found(honest: PublicInterval, title: str) -> None:
    change, expected = FOUND[title]
    results = check_interval(change(honest))
    assert {one.check: " | ".join(one.details) for one in results if one.verdict is Verdict.FAILED} == expected
