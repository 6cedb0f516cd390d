"""Lines of an interval in which everybody trades."""

from support.programs.chain_lines import ChainLine
from support.programs.market_chain import CHARGES_MILLS, Exchange

BOUGHT_WH, PRICE_MILLS = 200, 4_000


def trade_lines(exchange: Exchange, payers: int, receivers: int) -> list[ChainLine]:
    """Returns lines of ``payers`` who buy 200 Wh each at 4,000 mills, and of ``receivers`` who share the sale."""
    buyers = [exchange.ready(f"buyer {n}") for n in range(payers)]
    sellers = [exchange.ready(f"seller {n}") for n in range(receivers)]
    debit_micros = BOUGHT_WH * (PRICE_MILLS + CHARGES_MILLS)
    bought = [ChainLine(buyer.wallet, bought_wh=BOUGHT_WH, debit_micros=debit_micros) for buyer in buyers]
    whole, rest = divmod(payers * BOUGHT_WH, receivers)
    shares_wh = [whole + (n < rest) for n in range(receivers)]
    sold = [ChainLine(seller.wallet, wh, 0, wh * PRICE_MILLS) for seller, wh in zip(sellers, shares_wh, strict=True)]
    return bought + sold
