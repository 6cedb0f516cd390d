"""The seeded interval as its participants see it: every figure was worked out by hand (see support.seed)."""

import asyncio
from datetime import datetime
from uuid import UUID

import pytest

from hub.clock import at_s
from hub.db import Connection, Pool
from hub.http.rows import Row
from hub.http.types import utc_text
from hub.settlement.today import midnight
from hub.system import queries
from support.api import Api, problem
from support.nats import eventually
from support.seed import (
    ANNA,
    BEN,
    CREDIT_DEBIT,
    END_S,
    INTERVAL_S,
    NOW_S,
    PRICE,
    SAVED,
    SOLD_BOUGHT,
    START_S,
    UTILITY_WH,
    Campus,
)

START, END = utc_text(at_s(START_S)), utc_text(at_s(END_S))


@pytest.mark.parametrize("who", SOLD_BOUGHT)
async def test_interval_in_energy_and_money(api: Api, who: UUID) -> None:
    [item] = (await api.get("/intervals", api.bearer("participant", who))).json()["items"]
    sold, bought = SOLD_BOUGHT[who]
    credit, debit = CREDIT_DEBIT[who]

    assert (item["start_at"], item["end_at"], item["state"], item["quality"]) == (START, END, "reconciled", "valid")
    assert (item["sold_wh"], item["bought_wh"], item["utility_wh"]) == (sold, bought, UTILITY_WH[who])
    assert item["export_wh"] - item["import_wh"] == sold - bought + item["utility_wh"]
    assert (item["credit_micros"], item["debit_micros"]) == (credit, debit)
    assert item["charges_micros"] == bought * 130
    assert item["utility_micros"] == item["utility_wh"] * 5000
    assert item["total_micros"] == credit - debit + item["utility_micros"]
    assert item["saved_micros"] == item["total_micros"] - item["baseline_micros"] == SAVED[who]
    assert item["price_mills"] == PRICE


async def test_before_settlement_the_interval_shows_what_it_will_be(api: Api, pool: Pool) -> None:
    final = (await api.get("/intervals", api.bearer("participant", BEN))).json()["items"][0]
    await pool.execute("DELETE FROM utility_lines")
    await pool.execute("DELETE FROM settlement_lines")
    await pool.execute("UPDATE intervals SET state = 'cleared'")
    early = (await api.get("/intervals", api.bearer("participant", BEN))).json()["items"][0]

    assert early == {**final, "state": "cleared"}


async def test_a_correction_changes_energy_and_utility_and_never_the_trades(api: Api, pool: Pool) -> None:
    before = (await api.get("/bill-lines", api.bearer("participant", BEN))).json()["items"][0]
    start = at_s(START_S)
    await pool.execute(
        "INSERT INTO attestations SELECT start_at, 2, merkle_root, 3, 0, 1410, 1000, now() FROM attestations"
    )
    await pool.execute(
        "INSERT INTO interval_readings SELECT start_at, 2, meter_id, participant_id, leaf_index, "
        "import_wh + CASE WHEN meter_id = 'METER_002' THEN 10 ELSE 0 END, export_wh, quality, rules, start_reading_id, "
        "end_reading_id, blinding FROM interval_readings"
    )
    await pool.execute("INSERT INTO utility_lines VALUES ($1, 2, $2, -164, 5000, -820000, 'valid')", start, BEN)
    after = (await api.get("/bill-lines", api.bearer("participant", BEN))).json()["items"][0]

    assert (after["revision"], after["import_wh"], after["utility_wh"]) == (2, 510, -164)
    assert after["correction_micros"] == -50_000
    assert (after["bought_wh"], after["debit_micros"]) == (before["bought_wh"], before["debit_micros"])
    assert after["saved_micros"] == before["saved_micros"]


async def test_bill_lines_open_to_readings_and_sum_up(api: Api, campus: Campus) -> None:
    bill = (await api.get("/bill-lines", api.bearer("participant", ANNA), from_=START, to=END)).json()
    [line] = bill["items"]

    assert line["meters"] == [
        {
            "meter_id": "METER_001", "import_wh": 100, "export_wh": 1000, "quality": "valid",
            "start_reading_id": campus.readings["METER_001", START_S].hex(),
            "end_reading_id": campus.readings["METER_001", END_S].hex(),
        }
    ]  # fmt: skip
    assert line["line_index"] == 2
    assert bill["totals"] == {name: line[name] for name in bill["totals"]}


async def test_today_has_everything_in_one_call(api: Api, campus: Campus) -> None:
    today = (await api.get("/today", api.bearer("participant", ANNA))).json()

    assert (today["power_w"], today["direction"], today["stale"]) == (-900, "giving", False)
    assert today["power_at"] == utc_text(at_s(NOW_S - 30))
    assert (today["price_mills"], today["all_in_price_mills"], today["price_start_at"]) == (4120, 4250, START)
    assert today["next_clearing_at"] == utc_text(at_s(END_S + 2 * INTERVAL_S))
    assert today["running"]["export_wh"] == 1000 // 15
    assert today["saved_micros"] == SAVED[ANNA]
    formula = today["saved_formula"]
    assert formula["total_micros"] == formula["credit_micros"] - formula["debit_micros"] + formula["utility_micros"]
    assert formula["saved_micros"] == formula["total_micros"] - formula["baseline_micros"] == SAVED[ANNA]
    assert [item["start_at"] for item in today["intervals"]] == [START]
    assert today["last"] == today["intervals"][0]
    assert [event["kind"] for event in today["happened"]] == ["reconciled", "settled", "sold"]
    assert today["happened"][2]["micros"] == 3_708_000
    assert today["happened"][2]["trade_id"] is None
    bens = (await api.get("/today", api.bearer("participant", BEN))).json()
    assert bens["happened"][2]["trade_id"] == campus.trades[BEN].hex()
    assert bens["happened"][2]["micros"] == 1_470_500


async def test_today_goes_stale(api: Api) -> None:
    api.clock.advance(4 * 60_000)
    today = (await api.get("/today", api.bearer("participant", ANNA))).json()

    assert today["stale"] is True


@pytest.mark.parametrize(
    ("wall", "offset_s", "expected"),
    [
        ("2026-06-01T10:00:00Z", 0, "2026-05-31T22:00:00Z"),
        ("2026-06-01T21:59:59Z", 0, "2026-05-31T22:00:00Z"),
        ("2026-06-01T22:00:00Z", 0, "2026-06-01T22:00:00Z"),
        ("2026-06-01T21:00:00Z", 7200, "2026-06-01T20:00:00Z"),
        ("2026-10-25T12:00:00Z", 0, "2026-10-24T22:00:00Z"),
    ],
)
def test_the_sites_midnight(wall: str, offset_s: int, expected: str) -> None:
    now_ms = int(datetime.fromisoformat(wall).timestamp() * 1000)
    assert utc_text(midnight(now_ms, "Europe/Zurich", offset_s)) == expected


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
    whole = (await api.get("/trades", anna)).json()["items"]
    first = (await api.get("/trades", anna, limit=1)).json()
    second = (await api.get("/trades", anna, limit=1, cursor=first["next_cursor"])).json()

    assert first["items"] + second["items"] == whole
    assert second["next_cursor"] is None


async def test_trade_with_steps_line_and_transactions(api: Api, campus: Campus) -> None:
    trade = (await api.get(f"/trades/{campus.trades[BEN].hex()}", api.bearer("participant", BEN))).json()

    assert [step["name"] for step in trade["steps"]] == ["cleared", "planned", "sent", "confirmed", "final"]
    times = [datetime.fromisoformat(step["at"]) for step in trade["steps"]]
    assert times == sorted(times)
    assert (trade["energy_micros"], trade["charges_micros"]) == (346 * PRICE, 346 * 130)
    assert (trade["line"]["line_index"], trade["line"]["debit_micros"]) == (0, 1_470_500)
    assert trade["line"]["lines_root"] == campus.lines_root.hex()
    assert [one["kind"] for one in trade["transactions"]] == ["attest", "mint", "open", "settle", "close"]
    assert [one["meter_id"] for one in trade["meters"]] == ["METER_002"]


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
    named = (await api.get(f"/clearings/{START}", api.bearer("participant", BEN))).json()

    assert latest == named
    assert (latest["price_mills"], latest["volume_wh"], latest["charges_mills"]) == (4120, 900, 130)
    assert latest["supply"] == [{"price_mills": 2200, "wh": 900, "own_wh": 0}]
    assert latest["demand"] == [{"price_mills": 4120, "wh": 1300, "own_wh": 500}]


async def test_an_interval_that_was_not_cleared(api: Api) -> None:
    problem(await api.get(f"/clearings/{END}", api.bearer("participant", BEN)), 404, "not_found")
    detail = problem(
        await api.get("/clearings/2026-06-01T10:00:00", api.bearer("participant", BEN)), 422, "invalid_request"
    )
    assert "no zone" in detail


async def test_meters_with_their_newest_reading(api: Api, campus: Campus) -> None:
    [meter] = (await api.get("/meters", api.bearer("participant", ANNA))).json()["items"]

    assert (meter["meter_id"], meter["kind"], meter["building"]) == ("METER_001", "bidirectional", "North")
    assert meter["last_reading"]["reading_id"] == campus.readings["METER_001", NOW_S - 30].hex()
    assert meter["last_reading"]["active_power_w"] == -900


async def test_meter_intervals(api: Api, campus: Campus) -> None:
    page = (await api.get("/meters/METER_001/intervals", api.bearer("participant", ANNA))).json()
    [item] = page["items"]

    assert (item["import_wh"], item["export_wh"], item["quality"], item["revision"]) == (100, 1000, "valid", 1)
    assert item["end_reading_id"] == campus.readings["METER_001", END_S].hex()


async def test_system_totals(api: Api) -> None:
    totals = (await api.get("/system/totals", api.bearer("participant", ANNA))).json()

    assert totals == {
        "meters": 3, "readings": 12, "frames": 5, "quarantined": 0, "intervals_closed": 1, "import_wh": 1400,
        "export_wh": 1000, "sold_wh": 900, "utility_wh": -400, "transactions": 5,
        "last_reconciled_at": utc_text(at_s(END_S + 20)),
    }  # fmt: skip


async def test_totals_are_counted_once_for_all_who_ask(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """The count reads everything there is: any number of readers must not make the database do it again and again."""
    monkeypatch.setattr("hub.system.totals.KEPT_AT_LEAST_S", 3600)
    count, counts, go_on = queries.totals, 0, asyncio.Event()

    async def slow(connection: Connection) -> Row:
        nonlocal counts
        counts += 1
        await go_on.wait()
        return await count(connection)

    monkeypatch.setattr("hub.system.queries.totals", slow)
    anna = api.bearer("participant", ANNA)
    asking = [asyncio.create_task(api.get("/system/totals", anna)) for _ in range(30)]
    await eventually(lambda: counts > 0, what="a count")
    go_on.set()
    answers = await asyncio.gather(*asking, api.get("/system/totals", anna))
    assert {answer.status_code for answer in answers} == {200}
    assert counts == 1


async def test_site_needs_no_sign_in(api: Api) -> None:
    site = (await api.get("/system/site")).json()

    assert site["running_interval"] == {
        "start_at": utc_text(at_s(END_S + INTERVAL_S)), "end_at": utc_text(at_s(END_S + 2 * INTERVAL_S)),
    }  # fmt: skip
    assert (site["tariffs"]["export_mills"], site["tariffs"]["import_mills"]) == (2200, 5000)
    assert site["interval_s"] == INTERVAL_S
