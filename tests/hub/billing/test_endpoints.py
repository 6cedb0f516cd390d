"""The API's endpoints of billing, on the seeded interval of support.rows.seed."""

from datetime import datetime
from uuid import UUID

import pytest

from hub.billing.today import midnight
from hub.clock import at_s
from hub.http.types import utc_text
from hub.postgres.db import Pool
from support.rows.seed import (
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
from support.servers.api import Api

START, END = utc_text(at_s(START_S)), utc_text(at_s(END_S))


@pytest.mark.parametrize("participant", SOLD_BOUGHT)
async def test_interval_in_energy_and_money(api: Api, participant: UUID) -> None:
    [item] = (await api.get("/intervals", api.bearer("participant", participant))).json()["items"]
    sold, bought = SOLD_BOUGHT[participant]
    credit, debit = CREDIT_DEBIT[participant]

    assert (item["start_at"], item["end_at"], item["state"], item["quality"]) == (START, END, "reconciled", "valid")
    assert (item["sold_wh"], item["bought_wh"], item["utility_wh"]) == (sold, bought, UTILITY_WH[participant])
    assert item["export_wh"] - item["import_wh"] == sold - bought + item["utility_wh"]
    assert (item["credit_micros"], item["debit_micros"]) == (credit, debit)
    assert item["charges_micros"] == bought * 130
    assert item["utility_micros"] == item["utility_wh"] * 5000
    assert item["total_micros"] == credit - debit + item["utility_micros"]
    assert item["saved_micros"] == item["total_micros"] - item["baseline_micros"] == SAVED[participant]
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
        "INSERT INTO attestations SELECT start_at, 2, merkle_root, 3, 0, 1410, 1000, $1 FROM attestations",
        at_s(NOW_S - 60),
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
    of_ben = (await api.get("/today", api.bearer("participant", BEN))).json()
    assert of_ben["happened"][2]["trade_id"] == campus.trades[BEN].hex()
    assert of_ben["happened"][2]["micros"] == 1_470_500


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
