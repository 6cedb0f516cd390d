"""An interval that was settled and closed: the hub's rows, and accounts of the chain that agree with them."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from hub.clock import at_s
from hub.postgres.db import Record
from hub.settlement import onchain
from hub.settlement.repository import IntervalRows

START_S, END_S = 1_780_308_000, 1_780_308_900
RATES = {
    "wheeling_mills": 100, "platform_mills": 25, "loss_mills": 5, "export_tariff_mills": 2200,
    "import_tariff_mills": 5000,
}  # fmt: skip
TRADED = {
    "line_count": 3, "sold_wh": 900, "bought_wh": 900, "credit_micros": 3_708_000, "debit_micros": 3_825_000,
}  # fmt: skip
ATTESTED = {
    "merkle_root": b"m" * 32, "meters_valid": 3, "meters_estimated": 1, "import_wh": 1400, "export_wh": 1000,
}  # fmt: skip
COMMITTED = {"lines_root": b"l" * 32, "clearing_price_mills": 4120, "journal_hash": b"j" * 32}
NO_LINES = dict.fromkeys(TRADED, 0)


def rows(**changes: Any) -> IntervalRows:
    """Returns the hub's rows; without lines when ``changes`` are ``NO_LINES``."""
    interval = {"end_at": at_s(END_S), "minted_wh": 1000, **ATTESTED, **COMMITTED, **TRADED, **RATES, **changes}
    return IntervalRows(START_S, cast("Record", interval), [])


def attestation(**changes: Any) -> Any:
    """Returns the oracle's account; bytes are lists there, as a decoded account has them."""
    stored = {"merkle_root": list(ATTESTED["merkle_root"]), "attested_at_s": END_S + 60}  # type: ignore[call-overload]
    return SimpleNamespace(**ATTESTED | stored | changes)


def minted(**changes: Any) -> Any:
    """Returns the energy token's account."""
    return SimpleNamespace(**{"wh": 1000, "burned": True} | changes)


def settlement(**changes: Any) -> Any:
    """Returns the trading program's account."""
    values = {
        "status": onchain.CLOSED, "closed_at_s": END_S + 60, "cursor": 3, "returned_count": 0, "escrow_micros": 0,
        "settled_sold_wh": 900, "settled_bought_wh": 900, "settled_credit_micros": 3_708_000,
        "settled_debit_micros": 3_825_000, "rates": SimpleNamespace(**RATES),
    }  # fmt: skip
    return SimpleNamespace(**TRADED | COMMITTED | values | changes)


def empty(**changes: Any) -> Any:
    """Returns the account of a settlement that was closed without lines; of roots and price it holds nothing."""
    nothing = {"lines_root": [0] * 32, "clearing_price_mills": 0, "journal_hash": [0] * 32, "cursor": 0}
    settled = dict.fromkeys(
        ("settled_sold_wh", "settled_bought_wh", "settled_credit_micros", "settled_debit_micros"), 0
    )
    return settlement(**{"status": onchain.EMPTY} | NO_LINES | nothing | settled | changes)


def answer_with(accounts: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets the chain hold for the interval what the attributes of ``accounts`` are then; None is no account."""

    def read(name: str) -> Any:
        async def account(_: object, start_s: int) -> Any:
            assert start_s == START_S
            return getattr(accounts, name)

        return account

    monkeypatch.setattr(onchain, "read_attestation", read("attestation"))
    monkeypatch.setattr(onchain, "read_minted_interval", read("minted"))
    monkeypatch.setattr(onchain, "read_settlement", read("settlement"))
