"""Compute units of energy_token and trading: deposits, an interval with a full batch, an empty one, an aborted one."""

from typing import Any

from solders.pubkey import Pubkey

from edge.wire import merkle
from hub.chain.instructions import trading
from support.programs.account_fields import put_field
from support.programs.campus_chain import INTERVAL_S
from support.programs.chain_lines import ChainLine
from support.programs.market_chain import LINES_PER_BATCH, Exchange, minted_address, new_exchange, settlement_address
from support.programs.measure import Measure, tries
from support.programs.svm import PROGRAM_IDS, START, Outcome

LINE_BUDGET_CU = 2_000
MANDATE_BUDGET_CU = 8_000
PROOF_BUDGET_CU = 6_000
MOST_LINES = 65_535


def measures() -> list[Measure]:
    """Returns the measures in the order in which a campus needs them."""
    exchange = new_exchange()
    founding = _founding(exchange)
    custody = _custody(exchange)
    settling = [*_interval(exchange), *_empty_interval(exchange), *_aborted_interval(exchange)]
    return [*founding, *custody, *settling, _longest_proof(exchange)]


def _founding(exchange: Exchange) -> list[Measure]:
    chain, signers = exchange.chain, [exchange.chain.upgrade_authority]
    energy, market = (chain.ok(ix, signers=signers) for ix in (exchange.found_energy(), exchange.found_market()))
    searched = _tried("energy_token", b"state") + _tried("energy_token", b"mint") + _tried("energy_token", b"pool")
    places = [[b"market"], [b"pool"], *([b"vault", name] for name in (b"wheeling", b"platform", b"loss"))]
    return [
        Measure("energy_token", "initialize", energy.compute_units, searched),
        Measure("trading", "initialize", market.compute_units, sum(_tried("trading", *place) for place in places)),
    ]


def _custody(exchange: Exchange) -> list[Measure]:
    chain, key = exchange.chain, exchange.chain.key("newcomer")
    exchange.campus.add_participant(key)
    opened = chain.ok(exchange.open_account(key.pubkey()), signers=[key])
    ann = exchange.trader("ann")
    paid_in = chain.ok(exchange.deposit(ann, 5_000_000), signers=[ann.key])
    signed = [exchange.mandate(ann, max_wh=5_000 - change) for change in range(2)]
    paid_out = chain.ok(exchange.withdraw(ann, 1_000), signers=[ann.key])
    search = _tried("trading", b"account", key.pubkey())
    return [
        Measure("trading", "open_account", opened.compute_units, search),
        Measure("trading", "deposit", paid_in.compute_units),
        Measure("trading", "set_mandate", max(map(_cu, signed)), budget_cu=MANDATE_BUDGET_CU),
        Measure("trading", "withdraw", paid_out.compute_units),
    ]


def _interval(exchange: Exchange) -> list[Measure]:
    lines = _full_batch(exchange)
    minted = _minted(exchange, START)
    signers = [exchange.settler]
    opened = exchange.chain.ok(exchange.open(START, lines), signers=signers)
    settled = exchange.chain.ok(exchange.settle(START, 0, lines), signers=signers)
    closed = exchange.chain.ok(exchange.close(START), signers=signers)
    return [
        minted,
        Measure("trading", "open", opened.compute_units, tries(exchange.settlement(START).bump)),
        Measure(
            "trading",
            "settle",
            settled.compute_units,
            budget_cu=LINE_BUDGET_CU * len(lines),
            note=f"{len(lines)} lines",
        ),
        Measure("trading", "close", closed.compute_units),
    ]


def _full_batch(exchange: Exchange) -> list[ChainLine]:
    half = LINES_PER_BATCH // 2
    traders = [exchange.ready(f"trader {n}") for n in range(2 * half)]
    bought = [ChainLine(trader.wallet, bought_wh=100, debit_micros=413_000) for trader in traders[:half]]
    return bought + [ChainLine(trader.wallet, sold_wh=100, credit_micros=400_000) for trader in traders[half:]]


def _aborted_interval(exchange: Exchange) -> list[Measure]:
    chain, signers, start, lines = exchange.chain, [exchange.settler], START + 2 * INTERVAL_S, _full_batch(exchange)
    _minted(exchange, start)
    chain.ok(exchange.open(start, lines), signers=signers)
    # every account has a credit of an earlier interval here, as in a campus that has been running
    settled = chain.ok(exchange.settle(start, 0, lines), signers=signers)
    aborted = chain.ok(exchange.abort(start), signers=signers)
    half = len(lines) // 2
    receiving, paying = (chain.ok(exchange.return_lines(start, lines, first, first + half)) for first in (half, 0))
    closed = chain.ok(exchange.close_aborted(start))
    budget = LINE_BUDGET_CU * len(lines)
    return [
        Measure(
            "trading", "settle", settled.compute_units, budget_cu=budget, note=f"{len(lines)} lines, credited before"
        ),
        Measure("trading", "abort", aborted.compute_units),
        Measure("trading", "return_lines", receiving.compute_units, note=f"{half} receiving lines"),
        Measure("trading", "return_lines", paying.compute_units, note=f"{half} paying lines"),
        Measure("trading", "close_aborted", closed.compute_units),
    ]


def _longest_proof(exchange: Exchange) -> Measure:
    chain, start, wallet = exchange.chain, START + 3 * INTERVAL_S, exchange.traders["trader 0"].wallet
    line, index = ChainLine(wallet, bought_wh=100, debit_micros=413_000), MOST_LINES // 3
    path = [bytes([level]) * 32 for level in range(MOST_LINES.bit_length())]
    root = merkle.climb(line.leaf(start, index), index, MOST_LINES, path)
    _minted(exchange, start)
    chain.ok(exchange.open(start, [line, _seller(line)]), signers=[exchange.settler])
    _grow(exchange, start, {"line_count": MOST_LINES, "lines_root": root})
    claim = trading.Line(wallet, 0, 100, 0, 413_000)
    shown = chain.ok(trading.verify_line(start, index, claim, path))
    return Measure(
        "trading", "verify_line", shown.compute_units, budget_cu=PROOF_BUDGET_CU, note=f"of {MOST_LINES:,} lines"
    )


def _seller(buyer: ChainLine) -> ChainLine:
    return ChainLine(buyer.wallet, sold_wh=buyer.bought_wh, credit_micros=buyer.bought_wh * 4_000)


def _grow(exchange: Exchange, start: int, fields: dict[str, Any]) -> None:
    """A settlement of as many lines as there can be, without opening as many accounts."""
    for name, value in fields.items():
        put_field(exchange.chain, "trading", "IntervalSettlement", settlement_address(start), name, value)


def _empty_interval(exchange: Exchange) -> list[Measure]:
    start = START + INTERVAL_S
    _minted(exchange, start)
    closed = exchange.chain.ok(exchange.close_empty(start), signers=[exchange.settler])
    search = tries(exchange.settlement(start).bump)
    return [Measure("trading", "close_empty", closed.compute_units, search)]


def _minted(exchange: Exchange, start: int) -> Measure:
    exchange.campus.attested(start)
    outcome = exchange.chain.ok(exchange.mint_interval(start))
    bump = exchange.chain.account("energy_token", minted_address(start)).bump
    return Measure("energy_token", "mint_interval", outcome.compute_units, tries(bump))


def _tried(name: str, *seeds: bytes | Pubkey) -> int:
    parts = [bytes(seed) for seed in seeds]
    return tries(Pubkey.find_program_address(parts, PROGRAM_IDS[name])[1])


def _cu(outcome: Outcome) -> int:
    return outcome.compute_units
