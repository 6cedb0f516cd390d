"""The API's endpoints of trades and clearings, on the seeded interval of support.rows.seed."""

from datetime import datetime

import pytest

from hub.clock import at_s
from hub.http.types import utc_text
from hub.postgres.db import Pool
from support.rows.seed import ANNA, BEN, CREDIT_DEBIT, END_S, PRICE, START_S, Campus
from support.servers.api import Api, problem

START, END = utc_text(at_s(START_S)), utc_text(at_s(END_S))


async def test_trades_from_both_sides(api: Api, campus: Campus) -> None:
    sold = (await api.get("/trades", api.bearer("participant", ANNA))).json()["items"]
    [bought] = (await api.get("/trades", api.bearer("participant", BEN))).json()["items"]

    assert {item["trade_id"] for item in sold} == {trade.hex() for trade in campus.trades.values()}
    assert sum(item["micros"] for item in sold) == CREDIT_DEBIT[ANNA][0]
    assert {(item["side"], item["charges_mills"]) for item in sold} == {("sell", 0)}
    assert (bought["side"], bought["charges_mills"], bought["micros"]) == ("buy", 130, 1_470_500)
    assert (bought["state"], bought["kind"], bought["wh"], bought["end_at"]) == ("final", "ex_post", 346, END)


async def test_trades_come_in_pages(api: Api) -> None:
    anna = api.bearer("participant", ANNA)
    all_items = (await api.get("/trades", anna)).json()["items"]
    first = (await api.get("/trades", anna, limit=1)).json()
    second = (await api.get("/trades", anna, limit=1, cursor=first["next_cursor"])).json()

    assert first["items"] + second["items"] == all_items
    assert second["next_cursor"] is None


async def test_trade_with_steps_line_and_transactions(api: Api, campus: Campus) -> None:
    trade = (await api.get(f"/trades/{campus.trades[BEN].hex()}", api.bearer("participant", BEN))).json()

    assert [step["name"] for step in trade["steps"]] == ["cleared", "planned", "sent", "confirmed", "final"]
    times = [datetime.fromisoformat(step["at"]) for step in trade["steps"]]
    assert times == sorted(times)
    assert (trade["energy_micros"], trade["charges_micros"]) == (346 * PRICE, 346 * 130)
    assert (trade["line"]["line_index"], trade["line"]["debit_micros"]) == (0, 1_470_500)
    assert trade["line"]["lines_root"] == campus.lines_root.hex()
    assert [transaction["kind"] for transaction in trade["transactions"]] == [
        "attest", "mint", "open", "settle", "close",
    ]  # fmt: skip
    assert [meter["meter_id"] for meter in trade["meters"]] == ["METER_002"]


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ("UPDATE settlement_steps SET state = 'submitted' WHERE kind = 'close'", "confirmed"),
        ("UPDATE settlement_steps SET state = 'submitted' WHERE kind IN ('close', 'settle')", "sent"),
        ("UPDATE settlement_steps SET state = 'planned'", "planned"),
    ],
)
async def test_trade_state_follows_the_chain(api: Api, pool: Pool, change: str, state: str) -> None:
    await pool.execute(change)
    [trade] = (await api.get("/trades", api.bearer("participant", BEN))).json()["items"]

    assert trade["state"] == state


async def test_clearing_with_curves(api: Api) -> None:
    latest = (await api.get("/clearings/latest", api.bearer("participant", BEN))).json()
    by_start = (await api.get(f"/clearings/{START}", api.bearer("participant", BEN))).json()

    assert latest == by_start
    assert (latest["price_mills"], latest["volume_wh"], latest["charges_mills"]) == (4120, 900, 130)
    assert latest["supply"] == [{"price_mills": 2200, "wh": 900, "own_wh": 0}]
    assert latest["demand"] == [{"price_mills": 4120, "wh": 1300, "own_wh": 500}]


async def test_an_interval_that_was_not_cleared(api: Api) -> None:
    problem(await api.get(f"/clearings/{END}", api.bearer("participant", BEN)), 404, "not_found")
    detail = problem(
        await api.get("/clearings/2026-06-01T10:00:00", api.bearer("participant", BEN)), 422, "invalid_request"
    )
    assert "no zone" in detail
