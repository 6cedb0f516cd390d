"""What can be done with settlements, rightly and wrongly: opened, carried on, aborted, returned, closed."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from support.programs.chain_lines import ChainLine, payers_first
from support.programs.model.beside import PAYER, Beside
from support.programs.model.settling import SETTLER, Settlement, Share, Status, Totals

MOST = 2**64 - 1
ANYBODY = "stranger"


class SettlementMoves(Beside):
    """Chooses by numbers that somebody draws; small ones are odd."""

    def unfinished(self) -> list[int]:
        """Starts of settlements that are not over."""
        return [start_s for start_s, one in self.model.settlements.items() if not one.is_over]

    def do_open(self, place: int, deals: Sequence[tuple[int, int, int, int]], odd: int) -> None:
        """Commits to lines; the sums, the count or the signer are wrong when it is odd."""
        waiting = sorted(set(self.model.attested.minted) - set(self.model.settlements))
        start_s = waiting[-1] if waiting and odd != 1 else self.attested_start(place)
        shares = self._shares(start_s, deals)
        totals = Totals.of(shares)
        totals = replace(totals, debit_micros=totals.debit_micros + 1) if odd == 2 else totals
        totals = replace(totals, line_count=totals.line_count + 1) if odd == 3 else totals
        by = ANYBODY if odd == 0 else SETTLER
        ix = self.stage.open(start_s, shares, totals, by)
        self.both("open", ix, [by, PAYER], lambda model: model.open(start_s, shares, totals, by))

    def do_go_on(self, start_s: int, count: int, choice: int) -> None:
        """Settles or returns the next lines, or ends what has none left. One in twelve is aborted first."""
        settlement = self.model.settlements[start_s]
        done = settlement.returned if settlement.status == Status.RETURNING else settlement.settled
        lines = settlement.settled if settlement.status == Status.RETURNING else settlement.committed
        if settlement.status == Status.OPEN and choice >= 55:
            self.do_end(start_s, "abort", SETTLER if choice < 58 else ANYBODY)
        elif len(done) == len(lines):
            self.do_end(start_s, "close" if settlement.status == Status.OPEN else "close_aborted", SETTLER)
        elif settlement.status == Status.OPEN:
            self._settle(start_s, settlement, count, choice)
        else:
            self._give_back(start_s, settlement, count, choice)

    def do_end(self, start_s: int, move: str, by: str) -> None:
        """Aborts, closes, or closes what was aborted."""
        exchange = self.stage.exchange
        if move == "close":
            ix = self.stage.instead(exchange.close(start_s), SETTLER, by)
            self.both(move, ix, [by], lambda model: model.close(start_s, by))
        elif move == "abort":
            ix = exchange.abort(start_s, self.stage.key(by).pubkey())
            self.both(move, ix, [by], lambda model: model.abort(start_s, by))
        else:
            self.both(move, exchange.close_aborted(start_s), [], lambda model: model.close_aborted(start_s))

    def _settle(self, start_s: int, settlement: Settlement, count: int, choice: int) -> None:
        first = max(len(settlement.settled) - (choice == 1) + (choice == 2), 0)
        shares = settlement.committed[first : first + count] or settlement.committed[:1]
        changes = {3: {"credit_micros": MOST}, 4: {"sold_wh": max(shares[0].line.sold_wh - 1, 0)}, 5: {"bought_wh": 0}}
        shares = _with_first(shares, changes.get(choice, {}))
        by = ANYBODY if choice == 0 else SETTLER
        ix = self.stage.instead(self.stage.exchange.settle(start_s, first, _lines(shares)), SETTLER, by)
        self.both("settle", ix, [by], lambda model: model.settle(start_s, first, shares, by))

    def _give_back(self, start_s: int, settlement: Settlement, count: int, choice: int) -> None:
        settled = settlement.settled
        left = [number for number in range(len(settled)) if number not in settlement.returned]
        end = (choice % len(settled) if choice < 30 else left[-1]) + 1
        first = max(end - count, 0)
        shares = _with_first(settled[first:end], {"debit_micros": MOST} if choice == 0 else {})
        said = [share.line.argument() for share in shares]
        ix = self.stage.exchange.return_lines(start_s, _lines(settled), first, end, lines=said)
        self.both("give_back", ix, [], lambda model: model.give_back(start_s, first, shares))

    def _shares(self, start_s: int, deals: Sequence[tuple[int, int, int, int]]) -> list[Share]:
        """Trades of seller, buyer, Wh and price, netted to a line for each and put into order."""
        charges, names = self.model.governance.charges_mills(start_s), sorted(self.model.custody.accounts)
        sums = {name: [0, 0, 0, 0] for name in names}
        for seller, buyer, wh, price_mills in deals:
            sold, bought = sums[names[seller % len(names)]], sums[names[buyer % len(names)]]
            sold[0] += wh
            bought[1] += wh
            sold[2] += wh * price_mills
            bought[3] += wh * (price_mills + charges)
        wallets = {self.stage.key(name).pubkey(): name for name in names}
        lines = [ChainLine(wallet, *sums[name]) for wallet, name in wallets.items() if any(sums[name])]
        return [Share(wallets[line.wallet], line) for line in payers_first(lines)]


def _lines(shares: Sequence[Share]) -> list[ChainLine]:
    return [share.line for share in shares]


def _with_first(shares: Sequence[Share], changes: dict[str, Any]) -> list[Share]:
    first, *others = shares
    return [replace(first, line=replace(first.line, **changes)), *others]
