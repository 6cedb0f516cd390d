"""What a trading account allows in an interval: by the newest mandate of its start, and what was spent that day."""

from types import SimpleNamespace
from typing import Any

from hub.market.funds import ParticipantFunds
from hub.settlement.funds import funds_of
from hub.units import Micros, PriceMills, Wh

START_S = 1_780_308_000
END_S = START_S + 900
TODAY = START_S // 86_400


def mandate(valid_from_s: int = START_S, expiry_s: int = END_S, max_wh: int = 1_000) -> Any:
    return SimpleNamespace(
        valid_from_s=valid_from_s, expiry_s=expiry_s, reserve_micros=5, max_price_mills=4_000, min_price_mills=2_000,
        max_wh=max_wh, max_debit_micros=6, max_day_debit_micros=7,
    )  # fmt: skip


def allowed(*ring: Any, count: int | None = None, days: tuple[tuple[int, int], ...] = ()) -> ParticipantFunds | None:
    account = SimpleNamespace(
        balance_micros=9,
        mandates=SimpleNamespace(ring=list(ring), count=len(ring) if count is None else count),
        day_debits=[SimpleNamespace(epoch_day=day, debit_micros=micros) for day, micros in days],
    )
    return funds_of(account, START_S, END_S)


def test_all_of_the_mandate_counts() -> None:
    assert allowed(mandate(), days=((TODAY - 1, 1), (TODAY, 2), (TODAY + 1, 3))) == ParticipantFunds(
        Micros(9), Micros(5), PriceMills(4_000), PriceMills(2_000), Wh(1_000), Micros(6), Micros(7), Micros(2)
    )
    spent = allowed(mandate(), days=((TODAY - 1, 1),))
    assert spent is not None and spent.day_debit_micros == 0


def test_a_mandate_is_in_force_for_the_whole_interval_or_not_at_all() -> None:
    assert allowed(mandate(valid_from_s=START_S, expiry_s=END_S)) is not None
    assert allowed(mandate(valid_from_s=START_S + 1)) is None
    assert allowed(mandate(expiry_s=END_S - 1)) is None
    assert allowed() is None
    assert allowed(mandate(), count=0) is None, "an empty place of the ring"


def test_the_newest_mandate_of_the_start_counts() -> None:
    earlier, newer, later = mandate(START_S - 9, max_wh=1), mandate(max_wh=2), mandate(START_S + 1, max_wh=3)
    found = allowed(earlier, newer, later)
    assert found is not None and found.max_wh == 2
    assert allowed(earlier, mandate(expiry_s=END_S - 1)) is None, "the one before it is in force no more"
