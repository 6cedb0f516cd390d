"""Inputs that once billed energy which nobody had measured, from the meter to the bill.

Simulator, agents, NATS, hub, ledger and API run as `make demo` runs them. An input has a meter of its own; power is
constant, so that a load takes 150 Wh in an interval (METER_015: 250) and a generator gives 120.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from hub.demo.site import BUILDINGS, PEOPLE, person
from support.servers.energy_cases import INTERVAL_S, NEARLY_9000_S, EnergyCasesDemo

pytestmark = pytest.mark.timeout(900)

NEAR_WH = 12
"""A meter that answers a second or two late in its slot has so much in the next interval."""
LOAD, GENERATOR, NOTHING = (150, 0), (0, 120), (0, 0)
METERS = {meter.meter_id: meter for building in BUILDINGS for meter in building.meters}


@dataclass(frozen=True)
class Case:
    """What a meter's interval must be in the end; ``number`` counts from the first interval with faults."""

    name: str
    meter: int
    number: int
    energy_wh: tuple[int, int]
    quality: str
    rules: frozenset[str] = field(default_factory=frozenset)

    @property
    def meter_id(self) -> str:
        return f"METER_{self.meter:03}"


def case(name: str, meter: int, number: int, energy_wh: tuple[int, int], quality: str, *rules: str) -> Case:
    return Case(name, meter, number, energy_wh, quality, frozenset(rules))


CASES = [
    case("E1 zeros once after a reboot", 12, 0, LOAD, "valid", "unconfirmed"),
    case("E2 another meter, and no proof", 9, 0, (100, 0), "estimated", "unseen_event"),
    case("E2 after it", 9, 1, LOAD, "valid"),
    case("E2 another meter by its serial number", 13, 0, (0, 80), "valid", "swap"),
    case("E3 a misread at the end", 4, 0, LOAD, "valid", "unconfirmed"),
    case("E3 and at the start", 4, 1, LOAD, "valid", "unconfirmed"),
    case("E3 as export", 8, 0, GENERATOR, "valid", "unconfirmed"),
    case("E3 and at the start", 8, 1, GENERATOR, "valid", "unconfirmed"),
    case("E4 a jump of 52 MWh", 5, 0, (100, 0), "estimated", "unseen_event"),
    case("E4 after it", 5, 1, LOAD, "valid"),
    case("E8 a load that exports", 2, 1, NOTHING, "estimated", "load_exports"),
    case("E8 a load that exports", 2, 2, NOTHING, "estimated", "load_exports"),
    case("E8 frozen while power flows", 7, 1, NOTHING, "estimated", "frozen"),
    case("E8 frozen while power flows", 7, 2, NOTHING, "estimated", "frozen"),
    case("E8 both registers rise", 15, 1, (167, 0), "estimated", "both_rise"),
    case("E8 both registers rise", 15, 2, (167, 0), "estimated", "both_rise"),
    case("E9 a misread amid an interval", 1, 0, GENERATOR, "valid", "unconfirmed"),
    case("E10 a rollover", 14, 0, LOAD, "valid", "rollover"),
    case("E10 after it", 14, 1, LOAD, "valid"),
    case("E10 a reset", 3, 0, (0, 100), "valid", "reset"),
    case("E10 after it", 3, 1, GENERATOR, "valid"),
    case("E14 the device says 1970", 13, 3, GENERATOR, "valid", "meter_clock"),
    case("E14 another time zone", 12, 3, LOAD, "valid", "meter_clock"),
    case("E14 the year 9000", 14, 3, LOAD, "valid", "meter_clock"),
    case("E15 export runs the import register backwards", 11, 1, NOTHING, "missing", "unseen_event"),
    case("E15 after it", 11, 4, GENERATOR, "valid"),
]


@dataclass
class Hub:
    """The demo's API, as an operator reads it."""

    run: EnergyCasesDemo
    _qualities: dict[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    _bills: dict[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        answer = httpx.post(
            f"{self.run.demo.url}/api/v1/auth/login",
            json={"email": "operator@campus.example", "password": self.run.demo.password},
        )
        self._headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}

    def get(self, path: str, **params: Any) -> Any:
        answer = httpx.get(f"{self.run.demo.url}/api/v1{path}", headers=self._headers, params=params, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def start_at(self, number: int) -> str:
        return rfc3339(self.run.first_s + number * INTERVAL_S)

    def quality(self, meter_id: str) -> Sequence[Mapping[str, Any]]:
        """Returns all that is known of a meter's intervals, by the revisions of each, the newest first."""
        if meter_id not in self._qualities:
            self._qualities[meter_id] = self.get(f"/meters/{meter_id}/quality", **self._span)["items"]
        return self._qualities[meter_id]

    def revisions(self, meter_id: str, number: int) -> Sequence[Mapping[str, Any]]:
        """Returns what each revision says of a meter's interval, the first one first."""
        (interval,) = [each for each in self.quality(meter_id) if each["start_at"] == self.start_at(number)]
        return [*reversed(interval["revisions"])]

    def last(self, meter_id: str, number: int) -> Mapping[str, Any]:
        return self.revisions(meter_id, number)[-1]

    def bill(self, name: str, number: int) -> Mapping[str, Any]:
        """Returns a person's line of the bill up to now: it has what was corrected before its end."""
        if name not in self._bills:
            person_id, until = str(person(name).participant_id), rfc3339(int(time.time()) + 1)
            span = {**self._span, "to": until}
            self._bills[name] = self.get("/bill-lines", participant_id=person_id, **span)["items"]
        (line,) = [each for each in self._bills[name] if each["start_at"] == self.start_at(number)]
        return line

    @property
    def _span(self) -> Mapping[str, str]:
        """From the start on to the end of what is final."""
        return {"from": rfc3339(self.run.first_s - 600), "to": rfc3339(self.run.outage[1])}

    @property
    def outage(self) -> range:
        """The intervals in which a gateway was cut off, and in part of which the worker stood still."""
        begin_s, end_s = self.run.outage
        return range((begin_s - self.run.first_s) // INTERVAL_S + 3, (end_s - self.run.first_s) // INTERVAL_S)


def rfc3339(moment_s: int) -> str:
    return datetime.fromtimestamp(moment_s, UTC).isoformat().replace("+00:00", "Z")


def energy(revision: Mapping[str, Any]) -> tuple[int, int]:
    return revision["import_wh"], revision["export_wh"]


def is_near(found: tuple[int, int], right: tuple[int, int], near_wh: int = NEAR_WH) -> bool:
    return all(abs(a - b) <= (near_wh if b else 0) for a, b in zip(found, right, strict=True))


@pytest.fixture(scope="module")
def hub(energy_cases: EnergyCasesDemo) -> Hub:
    return Hub(energy_cases)


@pytest.mark.parametrize("case", CASES, ids=[f"{c.name}, {c.meter_id} {c.number}" for c in CASES])
def test_what_is_billed_in_the_end(hub: Hub, case: Case) -> None:
    revisions = hub.revisions(case.meter_id, case.number)
    last = revisions[-1]
    assert is_near(energy(last), case.energy_wh), revisions
    assert last["quality"] == case.quality, revisions
    assert case.rules <= {rule["rule"] for rule in last["rules"]}, revisions
    owner = METERS[case.meter_id].owner
    own = [meter.meter_id for meter in METERS.values() if meter.owner == owner]
    line = hub.bill(owner, case.number)
    metered = [energy(hub.last(meter_id, case.number)) for meter_id in own]
    assert energy(line) == tuple(map(sum, zip(*metered, strict=True)))
    assert line["export_wh"] - line["import_wh"] == line["sold_wh"] - line["bought_wh"] + line["utility_wh"]
    if case.quality != "valid":
        assert (line["sold_wh"], line["bought_wh"]) == (0, 0), "what is not valid is not traded"


def test_at_first_nothing_is_more_than_the_meter_can_pass_nor_sold_that_nobody_gave(hub: Hub) -> None:
    for meter_id, meter in METERS.items():
        most_wh = meter.rated_power_w * 120 * INTERVAL_S // (100 * 3600)
        for number in range(-2, hub.outage.stop):
            first = hub.revisions(meter_id, number)[0]
            assert max(energy(first)) <= most_wh, (meter_id, number, first)
            assert first["export_wh"] <= 120 + NEAR_WH, (meter_id, number, first)


def test_e1_nothing_was_signed_as_reset(hub: Hub) -> None:
    events = [event["event"] for item in hub.quality("METER_012") for event in item["events"]]
    assert set(events) <= {"first"}


def test_e1_three_equal_wrong_answers_as_export(hub: Hub) -> None:
    """They were believed until the old registers came back: then the two intervals share what was really given."""
    found = [hub.last("METER_010", number) for number in (1, 2)]
    assert sum(f["export_wh"] for f in found) == pytest.approx(240, abs=NEAR_WH)
    assert all("misread" in {rule["rule"] for rule in f["rules"]} for f in found)
    assert is_near(energy(hub.last("METER_010", 3)), GENERATOR)


def test_e11_a_generator_that_is_unplugged_gives_nothing_until_it_is_back(hub: Hub) -> None:
    parts = [hub.revisions("METER_006", number) for number in (-2, -1, 0)]
    first = parts[1][0]
    assert (first["import_wh"], first["export_wh"]) == NOTHING, "the last export is not paid again"
    assert first["quality"] in ("missing", "estimated")
    assert len(parts[1]) > 1, "the correction"
    assert sum(revisions[-1]["export_wh"] for revisions in parts) == pytest.approx(360, abs=NEAR_WH)
    line = hub.bill("ada", -1)
    assert line["revision"] > 1
    assert line["export_wh"] == parts[1][-1]["export_wh"] > 0
    assert line["correction_micros"] == line["utility_wh"] * line["utility_tariff_mills"] > 0
    assert line["sold_wh"] == 0


def test_e12_a_time_and_a_register_that_can_not_be_leave_the_last_reading_alone(hub: Hub) -> None:
    (meter,) = [each for each in hub.get("/meters")["items"] if each["meter_id"] == "METER_005"]
    newest = meter["last_reading"]
    assert newest["slot_at"] < rfc3339(NEARLY_9000_S)
    assert newest["slot_at"] > hub.start_at(0)
    assert newest["import_wh"] < 10**9
    (sent,) = hub.run.demo.query(
        """
        SELECT (SELECT count(*) FROM readings WHERE meter_sequence > 900000) AS stored,
               (SELECT count(*) FROM good_readings WHERE meter_sequence > 900000) AS believed
        """
    )
    assert (sent["stored"], sent["believed"]) == (2, 0)


def test_e13_what_answers_as_another_kind_of_meter_is_not_signed(hub: Hub) -> None:
    """The gap is exact in its sum."""
    since, until = (rfc3339(hub.run.first_s + s) for s in (60 + INTERVAL_S, 120))
    assert hub.get("/meters/METER_001/readings", **{"from": since, "to": until})["items"] == []
    log = (hub.run.demo.state / "logs" / "gw-north.log").read_text()
    assert "this answers like an EM340, the configuration says SDM630" in log
    found = [hub.last("METER_001", number) for number in (2, 3, 4)]
    assert sum(f["export_wh"] for f in found) == pytest.approx(360, abs=NEAR_WH)
    assert {f["quality"] for f in found} == {"estimated"}


def test_e5_and_e6_a_cut_off_gateway_and_a_worker_that_stood_still_cost_no_watt_hour(hub: Hub) -> None:
    assert len(hub.outage) >= 1
    for meter_id in ("METER_007", "METER_008", "METER_009", "METER_010", "METER_002", "METER_004", "METER_015"):
        right = {"METER_015": (250, 0), "METER_008": GENERATOR, "METER_010": GENERATOR}.get(meter_id, LOAD)
        for number in hub.outage:
            last = hub.last(meter_id, number)
            assert (is_near(energy(last), right), last["quality"]) == (True, "valid"), (meter_id, number, last)


def test_e7_a_worker_whose_clock_is_an_hour_ahead_attests_nothing(hub: Hub) -> None:
    assert hub.run.wrong_clock.startswith("This worker's clock is +36")
    assert "nothing is attested until both follow a time server" in hub.run.wrong_clock
    assert hub.run.attested_by_wrong_clock == 0


def test_e17_the_first_interval_is_complete(hub: Hub) -> None:
    first = hub.run.demo.query("SELECT extract(epoch FROM min(start_at))::bigint AS s FROM intervals")[0]["s"]
    number = (int(first) - hub.run.first_s) // INTERVAL_S
    for meter_id in METERS:
        last = hub.last(meter_id, number)
        assert last["quality"] == "valid" and sum(energy(last)) > 100, (meter_id, last)


def test_the_ground_truth_agrees_to_the_watt_hour_and_the_micro(hub: Hub) -> None:
    rows = hub.run.demo.query(
        "SELECT start_at FROM intervals WHERE start_at BETWEEN to_timestamp($1) AND to_timestamp($2) ORDER BY 1",
        hub.run.first_s - 2 * INTERVAL_S, hub.run.outage[1],
    )  # fmt: skip
    report = hub.run.demo.report_of([row["start_at"] for row in rows])
    assert [each["ground_truth_differences"] for each in report["intervals"]] == [[]] * len(rows)
    assert (report["energy_differences"], report["chain_differences"]) == ([], [])
    assert report["reconciled"] is True
    done = hub.run.demo.hub("reconcile")
    assert done.returncode == 0, done.stdout + done.stderr


def test_everybody_who_has_a_meter_here_has_a_bill(hub: Hub) -> None:
    for each in PEOPLE:
        if each.participates:
            assert hub.bill(each.email.partition("@")[0], 0)["state"] == "reconciled"
