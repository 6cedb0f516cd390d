"""The API's endpoints of meters, their readings and intervals, on the seeded campus."""

import pytest

from hub.clock import at_ms, at_s
from hub.http.types import utc_text
from hub.metering.readings import Quality
from hub.postgres.db import Pool
from support.rows.seed import ANNA, BEN, BOOT, END_S, GATEWAY, NOW_S, START_S, Campus, stand_in
from support.servers.api import Api, problem

START, END = utc_text(at_s(START_S)), utc_text(at_s(END_S))
NEWEST_S = NOW_S - 30


async def stored_at(pool: Pool, reading_id: bytes) -> str:
    """Returns when the database took the row in, as the API writes it."""
    return utc_text(await pool.fetchval("SELECT stored_at FROM readings WHERE reading_id = $1", reading_id))


async def test_meters_with_their_newest_reading(api: Api, campus: Campus, pool: Pool) -> None:
    await pool.execute("UPDATE meters SET floor = '2', room = '2.14', zone = 'north' WHERE meter_id = 'METER_001'")
    [meter] = (await api.get("/meters", api.bearer("participant", ANNA))).json()["items"]
    reading_id = campus.readings["METER_001", NEWEST_S]

    assert meter == {
        "meter_id": "METER_001", "gateway_id": GATEWAY, "participant_id": str(ANNA), "kind": "bidirectional",
        "rated_power_w": 10_000, "serial": "S-METER_001", "zone": "north", "building": "North", "floor": "2",
        "room": "2.14", "status": "active",
        "last_reading": {
            "reading_id": reading_id.hex(), "meter_id": "METER_001", "gateway_id": GATEWAY, "meter_sequence": 3,
            "slot_at": utc_text(at_s(NEWEST_S)), "read_at": utc_text(at_ms(NEWEST_S * 1000 + 40)), "time_quality": "S",
            "meter_state": "G", "flags": 0, "import_wh": 50_206, "export_wh": 22_066, "active_power_w": -900,
            "doubt": "",
            "stored_at": await stored_at(pool, reading_id),
        },
    }  # fmt: skip


async def test_everybody_sees_their_own_meters_and_operators_all(api: Api) -> None:
    async def seen(role: str, participant: object = None) -> list[str]:
        items = (await api.get("/meters", api.bearer(role, participant))).json()["items"]  # type: ignore[arg-type]
        return [item["meter_id"] for item in items]

    assert await seen("participant", BEN) == ["METER_002"]
    assert await seen("operator") == await seen("auditor") == ["METER_001", "METER_002", "METER_003"]
    assert await seen("facilities") == []


@pytest.mark.parametrize("status", ["active", "suspended", "retired"])
@pytest.mark.parametrize("kind", ["load", "generation", "bidirectional", "feeder"])
async def test_every_kind_and_status_of_a_meter_is_shown(api: Api, pool: Pool, kind: str, status: str) -> None:
    await pool.execute("UPDATE meters SET kind = $1, status = $2", kind, status)
    await pool.execute("DELETE FROM readings WHERE meter_id = 'METER_002'")
    [meter] = (await api.get("/meters", api.bearer("participant", BEN))).json()["items"]

    assert (meter["kind"], meter["status"], meter["last_reading"]) == (kind, status, None)


@pytest.mark.parametrize("list_", ["readings", "intervals", "quality"])
async def test_the_lists_of_a_meter_are_for_its_owner(api: Api, list_: str) -> None:
    ben = api.bearer("participant", BEN)

    problem(await api.get(f"/meters/METER_001/{list_}", ben), 404, "not_found")
    problem(await api.get(f"/meters/METER_009/{list_}", api.bearer("operator")), 404, "not_found")
    problem(await api.get(f"/meters/METER_009/{list_}", api.bearer("facilities")), 404, "not_found")
    problem(await api.get(f"/meters/METER_001/{list_}", api.bearer("facilities")), 404, "not_found")
    assert (await api.get(f"/meters/METER_002/{list_}", ben)).json()["items"]
    assert (await api.get(f"/meters/METER_001/{list_}", api.bearer("operator"))).json()["items"]


async def test_one_reading_is_for_its_meters_owner(api: Api, campus: Campus, pool: Pool) -> None:
    reading_id = campus.readings["METER_001", END_S]
    path = f"/readings/{reading_id.hex()}"

    problem(await api.get(path, api.bearer("participant", BEN)), 404, "not_found")
    problem(await api.get(f"/readings/{stand_in('none').hex()}", api.bearer("operator")), 404, "not_found")
    reading = (await api.get(path, api.bearer("participant", ANNA))).json()
    assert reading == (await api.get(path, api.bearer("auditor"))).json()
    assert (reading["slot_at"], reading["import_wh"], reading["export_wh"]) == (END, 50_100, 21_000)


async def test_readings_come_in_pages_from_the_start_to_before_the_end(api: Api, campus: Campus) -> None:
    anna, path = api.bearer("participant", ANNA), "/meters/METER_001/readings"
    slots = [START_S, END_S, END_S + 900]
    whole = (await api.get(path, anna, from_=START, to=utc_text(at_s(END_S + 901)))).json()

    assert whole["next_cursor"] is None
    assert [item["reading_id"] for item in whole["items"]] == [campus.readings["METER_001", s].hex() for s in slots]
    pages: list[object] = []
    cursor = None
    while not pages or cursor:
        cut: dict[str, str] = {} if cursor is None else {"cursor": cursor}
        page = (await api.get(path, anna, from_=START, to=utc_text(at_s(END_S + 901)), limit=2, **cut)).json()
        pages.append(page["items"])
        cursor = page["next_cursor"]
    assert pages == [whole["items"][:2], whole["items"][2:]]
    without_end = (await api.get(path, anna, from_=START, to=END)).json()
    assert [item["slot_at"] for item in without_end["items"]] == [START]
    exact = (await api.get(path, anna, from_=START, to=utc_text(at_s(END_S + 901)), limit=3)).json()
    assert exact == whole


async def test_meter_intervals(api: Api, campus: Campus) -> None:
    page = (await api.get("/meters/METER_001/intervals", api.bearer("participant", ANNA))).json()

    assert page == {
        "items": [
            {
                "start_at": START, "end_at": END, "revision": 1, "import_wh": 100, "export_wh": 1000,
                "quality": "valid", "rules": [], "start_reading_id": campus.readings["METER_001", START_S].hex(),
                "end_reading_id": campus.readings["METER_001", END_S].hex(),
            }
        ],
        "next_cursor": None,
    }  # fmt: skip


async def test_an_interval_is_shown_in_its_latest_revision_with_any_quality(api: Api, pool: Pool) -> None:
    await pool.execute(
        "INSERT INTO attestations SELECT start_at, 2, merkle_root, 3, 0, 9, 9, attested_at FROM attestations"
    )
    await pool.execute(
        "INSERT INTO interval_readings (start_at, revision, meter_id, participant_id, leaf_index, import_wh, "
        "export_wh, quality, rules, blinding) "
        "SELECT start_at, 2, meter_id, participant_id, leaf_index, 5, 6, 'valid', '{gap,range}', blinding "
        "FROM interval_readings"
    )
    for quality in Quality:
        await pool.execute("UPDATE interval_readings SET quality = $1 WHERE revision = 2", quality.value)
        [item] = (await api.get("/meters/METER_001/intervals", api.bearer("participant", ANNA))).json()["items"]
        assert (item["revision"], item["import_wh"], item["export_wh"]) == (2, 5, 6)
        assert (item["quality"], item["rules"]) == (quality.value, ["gap", "range"])
        assert (item["start_reading_id"], item["end_reading_id"]) == (None, None)


async def _add_intervals(pool: Pool, count: int) -> None:
    """Adds that many intervals of a second each for METER_001, from the seeded one's end on."""
    await pool.execute(
        """
        WITH added AS (
            INSERT INTO intervals (start_at, end_at, state, attested_at)
            SELECT $1::timestamptz + n * interval '1 s', $1 + (n + 1) * interval '1 s', 'attested', $1
            FROM generate_series(0, $2 - 1) AS n RETURNING start_at
        ), attested AS (
            INSERT INTO attestations SELECT start_at, 1, $3, 1, 0, 0, 0, start_at FROM added RETURNING start_at
        )
        INSERT INTO interval_readings (start_at, revision, meter_id, participant_id, leaf_index, import_wh, export_wh,
                                       quality, blinding)
        SELECT start_at, 1, 'METER_001', $4, 0, 1, 2, 'valid', $5 FROM attested
        """,
        at_s(END_S), count, stand_in("root"), ANNA, bytes(16),
    )  # fmt: skip


async def test_meter_intervals_come_in_pages(api: Api, pool: Pool) -> None:
    await _add_intervals(pool, 2)
    anna, path = api.bearer("participant", ANNA), "/meters/METER_001/intervals"
    whole = (await api.get(path, anna, limit=3)).json()
    first = (await api.get(path, anna, limit=2)).json()
    second = (await api.get(path, anna, limit=2, cursor=first["next_cursor"])).json()

    starts = [utc_text(at_s(s)) for s in (START_S, END_S, END_S + 1)]
    assert ([item["start_at"] for item in whole["items"]], whole["next_cursor"]) == (starts, None)
    assert (first["items"], second["items"]) == (whole["items"][:2], whole["items"][2:])
    assert second["next_cursor"] is None
    without_end = (await api.get(path, anna, from_=START, to=END)).json()
    assert [item["start_at"] for item in without_end["items"]] == [START]


async def test_a_page_has_500_rows_unless_another_number_is_asked_for(api: Api, pool: Pool) -> None:
    await _add_intervals(pool, 500)
    await pool.execute(
        """
        INSERT INTO readings (reading_id, meter_id, gateway_id, boot_id, frame_sequence, record_index, meter_sequence,
                              slot_at, read_at, time_quality, meter_state, flags, import_wh, export_wh)
        SELECT decode(lpad(to_hex(n), 64, '0'), 'hex'), 'METER_001', $1, $2, 2, 0, 1000 + n,
               $3::timestamptz - n * interval '1 s', $3 - n * interval '1 s', 'S', 'G', 0, 1, 1
        FROM generate_series(1, 500) AS n
        """,
        GATEWAY, BOOT, at_s(START_S),
    )  # fmt: skip
    anna = api.bearer("participant", ANNA)
    for list_ in ("readings", "intervals"):
        page = (await api.get(f"/meters/METER_001/{list_}", anna)).json()
        assert len(page["items"]) == 500 and page["next_cursor"]


async def test_a_reading_in_doubt_is_never_the_newest(api: Api, campus: Campus, pool: Pool) -> None:
    """Neither one that the gateway doubts nor one that the hub doubts, however late its slot is."""
    older = await pool.fetch(
        "SELECT reading_id FROM readings WHERE meter_id = 'METER_001' ORDER BY slot_at DESC LIMIT 3"
    )
    for doubt, state in (("clock", "G"), ("", "E")):
        newest = older.pop(0)["reading_id"]
        await pool.execute(
            "UPDATE readings SET doubt = $2, meter_state = $3 WHERE reading_id = $1", newest, doubt, state
        )
        [meter] = (await api.get("/meters", api.bearer("participant", ANNA))).json()["items"]
        assert meter["last_reading"]["reading_id"] == older[0]["reading_id"].hex()


async def test_the_quality_of_intervals_with_its_evidence(api: Api, campus: Campus, pool: Pool) -> None:
    """An interval that was corrected: both revisions, why, what was doubted, and how the doubt ended."""
    await pool.execute(
        """
        INSERT INTO attestations SELECT start_at, 2, merkle_root, 3, 0, 9, 9, $1 FROM attestations
        WHERE start_at = $2
        """,
        at_s(NOW_S), at_s(START_S),
    )  # fmt: skip
    await pool.execute(
        """
        INSERT INTO interval_readings (start_at, revision, meter_id, participant_id, leaf_index, import_wh, export_wh,
                                       quality, rules, blinding)
        SELECT start_at, 2, meter_id, participant_id, leaf_index, 7, 9, 'estimated', '{reset,not_measured,gone}',
               blinding
        FROM interval_readings WHERE start_at = $1
        """,
        at_s(START_S),
    )
    newest = await pool.fetchval("SELECT max(slot_at) FROM readings WHERE meter_id = 'METER_001' AND slot_at <= $1",
                                 at_s(END_S))  # fmt: skip
    await pool.execute("UPDATE readings SET meter_state = 'E' WHERE meter_id = 'METER_001' AND slot_at = $1", newest)
    await pool.execute(
        "INSERT INTO meter_events VALUES ('METER_001', $1, $2, 1, 0, $3, 'reset', 1, 2, 3, 4, 5, 6, 7, 0, 0, 'a', 'b')",
        GATEWAY, BOOT, newest,
    )  # fmt: skip
    anna = api.bearer("participant", ANNA)
    page = (await api.get("/meters/METER_001/quality", anna, **{"from": START, "to": END})).json()
    [interval] = page["items"]
    assert (interval["start_at"], page["next_cursor"]) == (START, None)
    later, first = interval["revisions"]
    assert (later["revision"], later["import_wh"], later["export_wh"], later["quality"]) == (2, 7, 9, "estimated")
    assert later["attested_at"] == utc_text(at_s(NOW_S)) and first["revision"] == 1
    assert later["rules"] == [
        {"rule": "reset", "says": "The counter was set to 0.", "doubt": False},
        {"rule": "not_measured", "says": "A part of the interval was not measured.", "doubt": True},
        {"rule": "gone", "says": "", "doubt": False},
    ]
    [reading] = interval["readings"]
    assert (reading["slot_at"], reading["meter_state"], reading["doubt"]) == (utc_text(newest), "E", "")
    [event] = interval["events"]
    assert event == {
        "slot_at": utc_text(newest), "event": "reset", "import_before_wh": 4, "import_after_wh": 5,
        "export_before_wh": 6, "export_after_wh": 7, "serial_before": "a", "serial": "b",
    }  # fmt: skip


async def test_the_quality_comes_in_pages_of_intervals(api: Api, campus: Campus, pool: Pool) -> None:
    anna = api.bearer("participant", ANNA)
    seen, cursor = list[str](), ""
    for _ in range(9):
        more = {"cursor": cursor} if cursor else {}
        span = {"from": utc_text(at_s(START_S - 86_400)), "to": utc_text(at_s(END_S + 86_400)), "limit": 1}
        page = (await api.get("/meters/METER_001/quality", anna, **span, **more)).json()
        seen += [item["start_at"] for item in page["items"]]
        cursor = page["next_cursor"]
        if not cursor:
            break
    starts = await pool.fetch("SELECT start_at FROM interval_readings WHERE meter_id = 'METER_001' ORDER BY 1")
    assert seen == [utc_text(row["start_at"]) for row in starts]
