"""The API's endpoints of trades and clearings, on the seeded interval of support.rows.seed."""

from datetime import datetime

import pytest

from hub.clock import at_s
from hub.http.types import utc_text
from hub.postgres.db import Pool
from support.rows.seed import (
    ANNA,
    BEN,
    CHARGES,
    CLEO,
    CREDIT_DEBIT,
    END_S,
    INTERVAL_S,
    PRICE,
    START_S,
    Campus,
    stand_in,
)
from support.servers.api import Api, problem

START, END = utc_text(at_s(START_S)), utc_text(at_s(END_S))


async def test_trades_from_both_sides(api: Api, campus: Campus) -> None:
    sold = (await api.get("/trades", api.bearer("participant", ANNA))).json()["items"]
    [bought] = (await api.get("/trades", api.bearer("participant", BEN))).json()["items"]

    first = next(item for item in sold if item["trade_id"] == campus.trades[BEN].hex())
    assert first == {
        "trade_id": campus.trades[BEN].hex(), "start_at": START, "end_at": END, "side": "sell", "kind": "ex_post",
        "zone": "campus", "wh": 346, "price_mills": PRICE, "charges_mills": 0, "micros": 346 * PRICE,
        "traded_at": utc_text(at_s(END_S + 6)), "state": "final",
    }  # fmt: skip
    assert bought == {**first, "side": "buy", "charges_mills": 130, "micros": 346 * (PRICE + 130)}
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
    assert [time.timestamp() for time in times] == [END_S + 6, END_S + 7, END_S + 11, END_S + 11.4, END_S + 14]
    assert (trade["energy_micros"], trade["charges_micros"]) == (346 * PRICE, 346 * 130)
    assert (trade["wheeling_mills"], trade["platform_mills"], trade["loss_mills"]) == CHARGES
    assert trade["line"] == {
        "start_at": START, "line_index": 0, "line_count": 3, "wallet": campus.wallets[BEN], "sold_wh": 0,
        "bought_wh": 346, "credit_micros": 0, "debit_micros": 1_470_500, "lines_root": campus.lines_root.hex(),
    }  # fmt: skip
    assert [transaction["kind"] for transaction in trade["transactions"]] == [
        "attest", "mint", "open", "settle", "close",
    ]  # fmt: skip
    assert trade["meters"] == [
        {
            "meter_id": "METER_002", "import_wh": 500, "export_wh": 0, "quality": "valid",
            "start_reading_id": campus.readings["METER_002", START_S].hex(),
            "end_reading_id": campus.readings["METER_002", END_S].hex(),
        }
    ]  # fmt: skip


async def test_a_trade_that_is_not_planned_has_no_line(api: Api, pool: Pool, campus: Campus) -> None:
    await pool.execute("UPDATE settlement_steps SET state = 'planned', signature = NULL")
    await pool.execute("DELETE FROM settlement_lines")
    await pool.execute("DELETE FROM settlements")
    anna = api.bearer("participant", ANNA)
    trade = (await api.get(f"/trades/{campus.trades[BEN].hex()}", anna)).json()

    assert (trade["line"], trade["state"]) == (None, "cleared")
    assert [step["at"] for step in trade["steps"]] == [utc_text(at_s(END_S + 6)), None, None, None, None]
    assert (trade["side"], trade["energy_micros"], trade["charges_micros"]) == ("sell", 346 * PRICE, 0)


async def test_a_trade_of_an_interval_to_come_ends_where_intervals_end(api: Api, pool: Pool, campus: Campus) -> None:
    await pool.execute("UPDATE trades SET start_at = $1 WHERE trade_id = $2", at_s(END_S), campus.trades[BEN])
    end_at = utc_text(at_s(END_S + INTERVAL_S))
    ben = api.bearer("participant", BEN)

    assert (await api.get(f"/trades/{campus.trades[BEN].hex()}", ben)).json()["end_at"] == end_at
    assert (await api.get("/trades", ben)).json()["items"][0]["end_at"] == end_at


async def test_a_trade_is_for_its_parties_and_auditors(api: Api, campus: Campus) -> None:
    path = f"/trades/{campus.trades[BEN].hex()}"

    problem(await api.get(path, api.bearer("participant", CLEO)), 404, "not_found")
    problem(await api.get(f"/trades/{'0' * 64}", api.bearer("auditor", None)), 404, "not_found")
    assert (await api.get(path, api.bearer("auditor", None))).json()["side"] == "sell"


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


async def test_clearing_with_curves(api: Api, pool: Pool) -> None:
    await pool.execute("UPDATE clearings SET price_low_mills = 4119, price_high_mills = 4121")
    latest = (await api.get("/clearings/latest", api.bearer("participant", BEN))).json()
    by_start = (await api.get(f"/clearings/{START}", api.bearer("participant", BEN))).json()

    assert latest == by_start
    assert latest == {
        "start_at": START, "end_at": END, "price_mills": 4120, "price_low_mills": 4119, "price_high_mills": 4121,
        "volume_wh": 900, "charges_mills": 130, "export_tariff_mills": 2200, "import_tariff_mills": 5000,
        "journal_hash": stand_in("journal").hex(), "cleared_at": utc_text(at_s(END_S + 6)),
        "supply": [{"price_mills": 2200, "wh": 900, "own_wh": 0}],
        "demand": [{"price_mills": 4120, "wh": 1300, "own_wh": 500}],
    }  # fmt: skip


async def test_curves_run_from_the_best_price_to_the_worst(api: Api, pool: Pool) -> None:
    for number, (side, mills) in enumerate([("ask", 2300), ("bid", 4000), ("ask", 2100), ("bid", 4200)]):
        await pool.execute(
            "INSERT INTO orders (order_id, start_at, participant_id, kind, side, sequence, wh, limit_mills) "
            "VALUES ($1, $2, $3, 'residual', $4, 0, 10, $5)",
            stand_in(str(number)), at_s(START_S), CLEO, side, mills,
        )  # fmt: skip
    curves = (await api.get("/clearings/latest", api.bearer("auditor", None))).json()

    assert [point["price_mills"] for point in curves["supply"]] == [2100, 2200, 2300]
    assert [point["price_mills"] for point in curves["demand"]] == [4200, 4120, 4000]
    assert {point["own_wh"] for point in (*curves["supply"], *curves["demand"])} == {0}


async def test_an_interval_that_was_not_cleared(api: Api) -> None:
    problem(await api.get(f"/clearings/{END}", api.bearer("participant", BEN)), 404, "not_found")
    detail = problem(
        await api.get("/clearings/2026-06-01T10:00:00", api.bearer("participant", BEN)), 422, "invalid_request"
    )
    assert "no zone" in detail


async def test_nothing_was_ever_cleared(api: Api, pool: Pool) -> None:
    await pool.execute("DELETE FROM clearings")
    detail = problem(await api.get("/clearings/latest", api.bearer("participant", BEN)), 404, "not_found")
    assert "Nothing has been cleared yet" in detail
