"""The API's endpoints of meters, on the seeded campus."""

from hub.clock import at_s
from hub.http.types import utc_text
from support.rows.seed import ANNA, END_S, NOW_S, START_S, Campus
from support.servers.api import Api

START, END = utc_text(at_s(START_S)), utc_text(at_s(END_S))


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
