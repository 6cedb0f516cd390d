"""Operators' decisions over HTTP, on the seeded campus: taken, refused with the reason, listed, shown in /quality."""

from typing import Any
from uuid import UUID

import pytest

from hub.clock import at_s
from hub.http.types import utc_text
from hub.postgres.db import Pool
from support.rows.seed import ANNA, BOOT, END_S, GATEWAY, INTERVAL_S, NOW_S, START_S
from support.servers.api import Api, problem

DAY_S = 86_400
SPAN = {"start_at": utc_text(at_s(START_S)), "end_at": utc_text(at_s(END_S))}
REPLACE = {"kind": "replace", **SPAN, "import_wh": 40, "export_wh": 0, "reason": "Read in the cellar, photo 18"}
ACCEPT = {"kind": "accept", **SPAN, "reason": "It was the hub's clock"}
WITHDRAW = {"kind": "withdraw", **SPAN, "reason": "Wrong meter"}


@pytest.fixture
async def operator_id(pool: Pool) -> UUID:
    """An operator who has an account."""
    await pool.execute(
        "INSERT INTO users (user_id, email, display_name, role) VALUES ($1, 'op@x.example', 'Operator', 'operator')",
        UUID(int=7),
    )
    return UUID(int=7)


@pytest.fixture
def operator(api: Api, operator_id: UUID) -> dict[str, str]:
    """The header of the operator."""
    return api.bearer("operator", user_id=operator_id)


async def decide(api: Api, headers: dict[str, str], entry: dict[str, Any], meter_id: str = "METER_001") -> Any:
    return await api.client.post(f"/api/v1/operator/meters/{meter_id}/decisions", headers=headers, json=entry)


async def put_in_doubt(pool: Pool, meter_id: str = "METER_001") -> None:
    """Has the hub doubt the meter's readings at the interval's ends for their time."""
    await pool.execute(
        "UPDATE readings SET doubt = 'clock' WHERE meter_id = $1 AND slot_at BETWEEN $2 AND $3",
        meter_id, at_s(START_S), at_s(END_S),
    )  # fmt: skip


async def test_a_decision_is_stored_with_who_when_and_why(api: Api, pool: Pool, operator: dict[str, str]) -> None:
    answer = (await decide(api, operator, REPLACE)).json()
    assert answer["meter_id"] == "METER_001" and answer["intervals_marked"] >= 1
    marks = await pool.fetch("SELECT start_at, meter_id FROM interval_marks")
    assert (at_s(START_S), "METER_001") in [tuple(mark) for mark in marks]
    withdrawn = (await decide(api, operator, WITHDRAW)).json()

    page = (await api.get("/operator/decisions", operator)).json()
    newest, first = page["items"]
    assert first == {
        **REPLACE, "decision_id": answer["decision_id"], "meter_id": "METER_001", "decided_by": "Operator",
        "decided_at": utc_text(at_s(NOW_S)),
    }  # fmt: skip
    assert (newest["decision_id"], newest["kind"], newest["import_wh"]) == (withdrawn["decision_id"], "withdraw", None)
    kinds = await pool.fetch("SELECT detail->>'kind' AS kind FROM user_activities WHERE kind = 'energy_decided'")
    assert sorted(row["kind"] for row in kinds) == ["replace", "withdraw"]


async def test_decisions_come_in_pages_and_of_one_meter(api: Api, operator: dict[str, str]) -> None:
    for meter_id in ("METER_001", "METER_002", "METER_001"):
        await decide(api, operator, REPLACE, meter_id)
    auditor = api.bearer("auditor")
    first = (await api.get("/operator/decisions", auditor, limit=2)).json()
    rest = (await api.get("/operator/decisions", auditor, limit=2, cursor=first["next_cursor"])).json()
    assert [one["meter_id"] for one in first["items"] + rest["items"]] == ["METER_001", "METER_002", "METER_001"]
    assert rest["next_cursor"] is None
    [only] = (await api.get("/operator/decisions", auditor, meter_id="METER_002")).json()["items"]
    assert only["meter_id"] == "METER_002"
    problem(await api.get("/operator/decisions", auditor, cursor="x"), 422, "cursor_invalid")


@pytest.mark.parametrize(
    "wrong",
    [
        {"reason": "  x  "}, {"reason": None}, {"import_wh": None}, {"export_wh": None}, {"import_wh": -1},
        {"kind": "delete"}, {"kind": "accept"}, {"kind": "withdraw"}, {"end_at": SPAN["start_at"]},
        {"start_at": "2026-06-01T09:30:00"}, {"import_wh": 10**13},
    ],
    ids=str,
)  # fmt: skip
async def test_an_entry_that_makes_no_sense_is_refused(
    api: Api, pool: Pool, operator: dict[str, str], wrong: dict[str, Any]
) -> None:
    problem(await decide(api, operator, REPLACE | wrong), 422, "invalid_request")
    assert await pool.fetchval("SELECT count(*) FROM energy_decisions") == 0


def moved(begin_s: int, end_s: int, **entry: Any) -> dict[str, Any]:
    """Returns the decision to replace, about [start + begin, end + end)."""
    return REPLACE | {"start_at": utc_text(at_s(START_S + begin_s)), "end_at": utc_text(at_s(END_S + end_s))} | entry


@pytest.mark.parametrize(
    ("entry", "code", "said"),
    [
        (moved(0, DAY_S), "not_attested", "lies ahead"),
        (moved(0, INTERVAL_S), "not_attested", "Not every interval"),
        (moved(-INTERVAL_S, 0), "not_attested", "Not every interval"),
        (moved(60, 0), "not_whole_intervals", "nearest are from 2026-06-01T09:30:00Z to 2026-06-01T09:45:00Z"),
        (moved(0, -60), "not_whole_intervals", "whole intervals"),
        (moved(-41 * DAY_S, 0), "too_old_to_correct", "register line"),
        (moved(0, 0, import_wh=3001), "above_rated_power", "at most 3000 Wh"),
        (moved(0, 0, export_wh=3001), "above_rated_power", "3001 Wh"),
        (ACCEPT, "nothing_to_accept", "replace the energy"),
        (WITHDRAW, "nothing_to_withdraw", "METER_001"),
    ],
    ids=str,
)  # fmt: skip
async def test_what_can_not_be_decided_is_refused_with_the_reason(
    api: Api, pool: Pool, operator: dict[str, str], entry: dict[str, Any], code: str, said: str
) -> None:
    refused = await decide(api, operator, entry)
    problem(refused, 422 if code in {"not_whole_intervals", "above_rated_power"} else 409, code)
    assert said in refused.json()["detail"]
    assert await pool.fetchval("SELECT count(*) FROM energy_decisions") == 0
    assert await pool.fetchval("SELECT count(*) FROM interval_marks") == 0


async def test_the_most_that_can_be_entered(api: Api, operator: dict[str, str]) -> None:
    """The meter is rated 10 kW: 2,500 Wh a quarter hour, and 500 for overload."""
    assert (await decide(api, operator, REPLACE | {"import_wh": 3000, "export_wh": 3000})).status_code == 200


async def test_forty_days_are_counted_from_the_end_of_an_interval(api: Api, operator_id: UUID) -> None:
    api.clock.ms = (END_S + 40 * DAY_S) * 1000
    operator = api.bearer("operator", user_id=operator_id)
    assert (await decide(api, operator, REPLACE)).status_code == 200
    api.clock.ms += 1000
    problem(await decide(api, operator, REPLACE), 409, "too_old_to_correct")


async def test_a_meter_that_is_unknown_or_came_later(api: Api, pool: Pool, operator: dict[str, str]) -> None:
    problem(await decide(api, operator, REPLACE, "METER_999"), 404, "not_found")
    await pool.execute("DELETE FROM interval_readings WHERE meter_id = 'METER_003'")
    refused = await decide(api, operator, REPLACE, "METER_003")
    problem(refused, 409, "not_attested")
    assert "METER_003 was not part" in refused.json()["detail"]


async def test_what_the_gateway_or_a_rule_doubts_can_be_accepted(
    api: Api, pool: Pool, operator: dict[str, str]
) -> None:
    await pool.execute(
        "UPDATE readings SET meter_state = 'X' WHERE meter_id = 'METER_002' AND slot_at = $1", at_s(END_S)
    )
    await pool.execute("UPDATE interval_readings SET rules = '{load_exports}' WHERE meter_id = 'METER_001'")
    await pool.execute("UPDATE interval_readings SET rules = '{not_measured}' WHERE meter_id = 'METER_003'")
    assert (await decide(api, operator, ACCEPT)).status_code == 200
    assert (await decide(api, operator, ACCEPT, "METER_002")).status_code == 200
    problem(await decide(api, operator, ACCEPT, "METER_003"), 409, "nothing_to_accept")


async def test_a_withdrawal_needs_something_that_stands(api: Api, operator: dict[str, str]) -> None:
    await decide(api, operator, REPLACE)
    assert (await decide(api, operator, WITHDRAW)).status_code == 200
    problem(await decide(api, operator, WITHDRAW), 409, "nothing_to_withdraw")


async def accept_gateway(api: Api, headers: dict[str, str], gateway_id: str = GATEWAY) -> Any:
    path = f"/api/v1/operator/gateways/{gateway_id}/accept"
    return await api.client.post(path, headers=headers, json={**SPAN, "reason": "The hub's clock was behind"})


async def test_a_gateway_is_accepted_meter_by_meter(api: Api, pool: Pool, operator: dict[str, str]) -> None:
    """Of the third meter nothing is in doubt, and nothing is decided about it."""
    problem(await accept_gateway(api, operator), 409, "nothing_to_accept")
    for meter_id in ("METER_001", "METER_002"):
        await put_in_doubt(pool, meter_id)
    answer = (await accept_gateway(api, operator)).json()
    assert [one["meter_id"] for one in answer["items"]] == ["METER_001", "METER_002"]
    rows = await pool.fetch("SELECT decision_id, meter_id, kind FROM energy_decisions ORDER BY decision_id")
    assert [tuple(row) for row in rows] == [(one["decision_id"], one["meter_id"], "accept") for one in answer["items"]]
    problem(await accept_gateway(api, operator, "gw-nowhere"), 404, "not_found")


async def test_the_owner_sees_what_was_decided_and_why(api: Api, pool: Pool, operator: dict[str, str]) -> None:
    await pool.execute("UPDATE interval_readings SET rules = '{both_rise,accepted}' WHERE meter_id = 'METER_001'")
    await decide(api, operator, REPLACE)
    await decide(api, operator, WITHDRAW)
    span = {"from_": SPAN["start_at"], "to": SPAN["end_at"]}
    [item] = (await api.get("/meters/METER_001/quality", api.bearer("participant", ANNA), **span)).json()["items"]
    assert [(one["kind"], one["reason"]) for one in item["decisions"]] == [
        ("withdraw", "Wrong meter"), ("replace", REPLACE["reason"]),
    ]  # fmt: skip
    assert "decided_by" not in item["decisions"][0], "who it was is the operators' business"
    assert [(rule["rule"], rule["doubt"]) for rule in item["revisions"][0]["rules"]] == [
        ("both_rise", False), ("accepted", False),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "decisions"),
    [
        ("load_exports", ["accept", "replace"]), ("rated_power", ["replace"]), ("not_measured", ["replace"]),
        ("unseen_event", ["replace", "registers"]), ("clock", []),
    ],
)  # fmt: skip
async def test_an_alarm_says_what_can_be_decided_and_ends_with_the_decision(
    api: Api, pool: Pool, operator: dict[str, str], rule: str, decisions: list[str]
) -> None:
    await pool.execute("UPDATE interval_readings SET rules = ARRAY[$1] WHERE meter_id = 'METER_001'", rule)
    [alarm] = (await api.get("/operator/alarms", operator)).json()["items"]
    assert (alarm["rule"], alarm["decisions"]) == (rule, decisions)
    await pool.execute("UPDATE interval_readings SET rules = rules || '{replaced}' WHERE meter_id = 'METER_001'")
    assert (await api.get("/operator/alarms", operator)).json()["items"] == []


@pytest.mark.parametrize("doubt", ["clock", "misread", "unconfirmed"])
async def test_an_alarm_of_what_was_not_measured_offers_to_accept_doubted_readings(
    api: Api, pool: Pool, operator: dict[str, str], doubt: str
) -> None:
    await pool.execute(
        "UPDATE interval_readings SET rules = ARRAY['not_measured', $1] WHERE meter_id = 'METER_001'", doubt
    )
    alarms = (await api.get("/operator/alarms", operator)).json()["items"]
    assert [alarm["decisions"] for alarm in alarms if alarm["rule"] == "not_measured"] == [["accept", "replace"]]


async def ahead(pool: Pool, gateway_id: str, meter_id: str, *, frame: int, slots: list[int]) -> None:
    """Adds doubted readings of a gateway that sends heartbeats, in a frame received half an hour before its slots."""
    await pool.execute(
        "INSERT INTO gateways (gateway_id, building) VALUES ($1, 'North') ON CONFLICT DO NOTHING", gateway_id
    )
    await pool.execute("UPDATE gateways SET last_beat_at = $2 WHERE gateway_id = $1", gateway_id, at_s(NOW_S))
    header_hash = bytes([frame]) * 32
    await pool.execute(
        """
        INSERT INTO frames (gateway_id, boot_id, sequence, header_hash, previous_hash, key_id, header, signature, body,
                            record_count, sealed_at, received_at, verified_at)
        VALUES ($1, $2, $3, $4, $4, '', '', '', '', 1, $5, $5, $5)
        """,
        gateway_id, BOOT, 1000 + frame, header_hash, at_s(min(slots) - 1800),
    )  # fmt: skip
    for slot_s in slots:
        await pool.execute(
            """
            INSERT INTO readings (reading_id, meter_id, gateway_id, boot_id, frame_sequence, record_index,
                                  meter_sequence, slot_at, read_at, time_quality, meter_state, flags, import_wh,
                                  export_wh, doubt, stored_at)
            VALUES ($1, $2, $3, $4, $5, 0, $6, $7, $7, 'S', 'G', 0, 1, 1, 'clock', $8)
            """,
            f"{gateway_id}{slot_s:22}".encode()[:32].ljust(32), meter_id, gateway_id, BOOT, 1000 + frame, slot_s,
            at_s(slot_s), at_s(NOW_S),
        )  # fmt: skip


async def test_readings_from_the_future_of_one_gateway_among_others(
    api: Api, pool: Pool, operator: dict[str, str]
) -> None:
    for name in ("gw-a", "gw-b", "gw-c"):
        await pool.execute(
            "INSERT INTO gateways (gateway_id, building, last_beat_at) VALUES ($1, 'North', now())", name
        )
    await ahead(pool, "gw-a", "METER_001", frame=1, slots=[START_S + 60, START_S + 120])
    [doubted] = (await api.get("/operator/alarms", operator)).json()["clock_doubts"]
    assert doubted == {
        "gateway_id": "gw-a", **SPAN, "first_slot_at": utc_text(at_s(START_S + 60)),
        "last_slot_at": utc_text(at_s(START_S + 120)), "readings": 2, "gateways_ahead": 1, "gateways": 3,
        "hub_clock": False, "mend": doubted["mend"],
    }  # fmt: skip
    assert doubted["mend"].startswith("Check that the gateway reaches a time server.")


async def test_a_hub_that_was_behind_is_told_by_several_gateways_and_ends_with_the_decision(
    api: Api, pool: Pool, operator: dict[str, str]
) -> None:
    await pool.execute("INSERT INTO gateways (gateway_id, building, last_beat_at) VALUES ('gw-c', 'North', now())")
    await ahead(pool, GATEWAY, "METER_001", frame=1, slots=[START_S + 60])
    await ahead(pool, "gw-b", "METER_002", frame=2, slots=[START_S + 60])
    await pool.execute("UPDATE meters SET gateway_id = 'gw-b' WHERE meter_id = 'METER_002'")
    doubts = (await api.get("/operator/alarms", operator)).json()["clock_doubts"]
    assert [(one["gateway_id"], one["gateways_ahead"], one["hub_clock"]) for one in doubts] == [
        ("gw-b", 2, True), (GATEWAY, 2, True),
    ]  # fmt: skip
    assert doubts[0]["mend"].startswith("The hub's clock was behind")
    assert (await accept_gateway(api, operator)).status_code == 200
    [left] = (await api.get("/operator/alarms", operator)).json()["clock_doubts"]
    assert (left["gateway_id"], left["hub_clock"]) == ("gw-b", True)
    await decide(api, operator, WITHDRAW)
    assert len((await api.get("/operator/alarms", operator)).json()["clock_doubts"]) == 2
