"""Conventions of all routes: times, ranges, cursors, ETags, limits, headers, and problems at unknown paths."""

from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import product
from pathlib import Path
from urllib.parse import quote

import pytest

from hub.clock import at_s
from hub.http import cursors
from hub.http.headers import CONTENT_SECURITY_POLICY
from hub.http.problems import BadCursorError
from hub.http.spa import WebApp
from hub.http.types import utc_text
from support.rows.seed import ANNA, END_S, SLOTS_S, START_S
from support.servers.api import ORIGIN, Api, problem

READINGS = "/meters/METER_001/readings"
START, END = utc_text(at_s(START_S)), utc_text(at_s(END_S))


@pytest.fixture
def anna(api: Api) -> dict[str, str]:
    return api.bearer("participant", ANNA)


BAD_TIMES = (
    ("2026-06-01T09:30:00", "time_zone_missing", "write it in UTC with a Z"),
    ("2026-06-01T11:30:00+02:00", "time_not_utc", "convert it and write a Z"),
    ("yesterday", "time_malformed", "RFC 3339"),
    ("1780306200", "time_malformed", "RFC 3339"),
    ("2026-02-30T09:30:00Z", "time_malformed", "no such day"),
    ("", "time_malformed", "RFC 3339"),
    ("0001-01-01T00:00:00Z", "time_out_of_range", "between 2000 and 2200"),
)


async def test_times_are_rfc_3339_in_utc(api: Api, anna: dict[str, str]) -> None:
    for text, code, message in BAD_TIMES:
        response = await api.get(READINGS, anna, from_=text)
        assert message in problem(response, 422, "invalid_request")
        assert [(fault["field"], fault["code"]) for fault in response.json()["errors"]] == [("query.from", code)]


UNUSUAL = (
    "\0",
    "%00",
    "'",
    "9" * 250,
    "9999-12-31T23:59:59.999999Z",
    "2000-01-01T00:00:00Z",
    "-1",
    "nan",
    "☀",
    "[]",
)


async def test_no_value_of_any_parameter_breaks_a_route(api: Api, anna: dict[str, str]) -> None:
    for path, operations in api.app.openapi()["paths"].items():
        parameters = operations.get("get", {}).get("parameters", [])
        for parameter, value in product(parameters, UNUSUAL):
            name = parameter["name"]
            path_values = {
                path_parameter["name"]: quote(value, safe="")
                for path_parameter in parameters
                if path_parameter["in"] == "path"
            }
            query = {name: value} if parameter["in"] == "query" else None
            if parameter["in"] != "header":
                response = await api.client.get(path.format(**path_values), headers=anna, params=query)
                assert response.status_code in {200, 403, 404, 422}, (path, name, value, response.text)


async def test_utc_may_be_written_as_plus_zero(api: Api, anna: dict[str, str]) -> None:
    with_z = await api.get(READINGS, anna, from_=START, to=END)
    with_offset = await api.get(READINGS, anna, from_=START.replace("Z", "+00:00"), to=END)

    assert with_z.json() == with_offset.json()
    assert with_z.json()["items"][0]["slot_at"] == START


async def test_ranges_are_half_open(api: Api, anna: dict[str, str]) -> None:
    response = await api.get(READINGS, anna, from_=START, to=END)

    assert [item["slot_at"] for item in response.json()["items"]] == [START]


@pytest.mark.parametrize(("start", "end"), [(END, END), (END, START)])
async def test_an_empty_range_is_refused(api: Api, anna: dict[str, str], start: str, end: str) -> None:
    assert "must be after" in problem(await api.get(READINGS, anna, from_=start, to=end), 422, "range_invalid")


async def test_a_range_of_years_is_refused(api: Api, anna: dict[str, str]) -> None:
    early = utc_text(at_s(START_S) - timedelta(days=500))
    assert "400 days" in problem(await api.get(READINGS, anna, from_=early, to=START), 422, "range_invalid")


async def test_pages_join_without_gap_or_overlap(api: Api, anna: dict[str, str]) -> None:
    slots, cursor = [], None
    for _ in range(len(SLOTS_S)):
        extra: dict[str, str] = {} if cursor is None else {"cursor": cursor}
        page = (await api.get(READINGS, anna, limit=1, **extra)).json()
        slots += [item["slot_at"] for item in page["items"]]
        cursor = page["next_cursor"]

    assert slots == [utc_text(at_s(slot)) for slot in SLOTS_S]
    assert cursor is None


@pytest.mark.parametrize("path", [READINGS, "/trades", "/intervals", "/bill-lines", "/bill-corrections"])
async def test_a_bad_cursor_is_refused(api: Api, anna: dict[str, str], path: str) -> None:
    cut, null, wrong_arity, wrong_kind = "x", "bnVsbA", "WyJyZWFkaW5ncyIsMV0", "WyJyZWFkaW5ncyIsInhcIiwieiJd"
    for cursor in (cut, null, wrong_arity, wrong_kind, "!!!", "é", "9" * 300):
        detail = problem(await api.get(path, anna, cursor=cursor), 422, "cursor_invalid")
        assert "start again without `cursor`" in detail


async def test_another_lists_cursor_is_refused(api: Api, anna: dict[str, str]) -> None:
    foreign = cursors.encode("trades", at_s(START_S), bytes(32))

    problem(await api.get(READINGS, anna, cursor=foreign), 422, "cursor_invalid")


def test_cursor_keeps_microseconds() -> None:
    moment = at_s(START_S) + timedelta(microseconds=123_457)
    token = cursors.encode("x", moment, b"\1\2", 7, "name")

    assert cursors.decode("x", token, (type(moment), bytes, int, str)) == [moment, b"\1\2", 7, "name"]
    with pytest.raises(BadCursorError):
        cursors.decode("x", token, (bytes, bytes, int, str))


async def test_limits_are_bounded(api: Api, anna: dict[str, str]) -> None:
    for limit in ("0", "1001", "many", "-1"):
        assert "query.limit" in problem(await api.get(READINGS, anna, limit=limit), 422, "invalid_request")


async def test_an_answer_that_is_known_is_not_sent_again(api: Api, anna: dict[str, str]) -> None:
    first = await api.get("/meters", anna)
    again = await api.get("/meters", {**anna, "If-None-Match": first.headers["etag"]})
    other = await api.get("/meters", {**anna, "If-None-Match": '"other"'})

    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert other.status_code == 200
    assert first.headers["cache-control"] == "private, no-cache"


async def test_security_headers_are_on_every_answer(api: Api) -> None:
    for path in ("/api/v1/meters", "/", "/trades/abc", "/api/nothing", "/healthz"):
        headers = (await api.client.get(path)).headers
        assert headers["content-security-policy"] == CONTENT_SECURITY_POLICY
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert "strict-transport-security" not in headers


def test_scripts_run_from_our_files_only() -> None:
    policy = dict(part.split(" ", 1) for part in CONTENT_SECURITY_POLICY.split("; "))

    assert policy["script-src"] == "'self'"
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"


async def test_unknown_api_paths_are_problems(api: Api) -> None:
    paths = ("/api", "/api/v1/nothing", "/api/v2/meters", "/api/v1/meters/METER_001/nothing")
    for path, accept, method in product(paths, ("text/html", "application/json"), ("GET", "POST", "DELETE")):
        response = await api.client.request(method, path, headers={"Accept": accept})
        assert path in problem(response, 404, "not_found")


async def test_a_wrong_method_is_named(api: Api) -> None:
    assert "DELETE" in problem(await api.client.delete("/api/v1/meters"), 405, "method_not_allowed")
    assert "POST" in problem(await api.client.post("/today"), 405, "method_not_allowed")


async def test_a_large_body_is_refused_before_it_is_read(api: Api) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(80):
            yield b"x" * 1024

    whole = await api.client.post("/api/v1/auth/login", content=b"x" * (64 * 1024 + 1))
    streamed = await api.client.post("/api/v1/auth/login", content=pieces())

    for response in (whole, streamed):
        assert "64 KiB" in problem(response, 413, "request_too_large")


async def test_an_unforeseen_error_is_a_problem_without_details(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> None:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr("hub.system.queries.totals", broken)
    response = await api.get("/system/totals", api.bearer("operator"))

    assert "secret" not in problem(response, 500, "internal")
    assert response.headers["x-content-type-options"] == "nosniff"


class TestWebApp:
    @pytest.fixture(autouse=True)
    def built(self, tmp_path: Path, api: Api) -> None:
        folder = tmp_path / "static"
        (folder / "assets").mkdir(parents=True)
        (folder / "index.html").write_text("<!doctype html><title>Peerwatt</title>")
        (folder / "assets" / "app-1a2b.js").write_text("export {}")
        (tmp_path / "secret.txt").write_text("hidden words")
        api.app.router.default = WebApp(folder)

    async def test_its_own_paths_get_the_page(self, api: Api) -> None:
        for path in ("/", "/trades", "/proof/abc", "/deep/er/still"):
            response = await api.client.get(path)
            assert response.status_code == 200
            assert "Peerwatt" in response.text
            assert response.headers["cache-control"] == "no-cache"

    async def test_hashed_files_stay_in_the_cache(self, api: Api) -> None:
        response = await api.client.get("/assets/app-1a2b.js")

        assert response.headers["content-type"].startswith("text/javascript")
        assert "immutable" in response.headers["cache-control"]

    async def test_a_missing_file_is_not_the_page(self, api: Api) -> None:
        problem(await api.client.get("/assets/app-old.js"), 404, "not_found")

    async def test_nothing_outside_is_served(self, api: Api) -> None:
        for path in ("/../secret.txt", "/%2e%2e/secret.txt", "/assets/..%2f..%2fsecret.txt", "/%00"):
            assert "hidden words" not in (await api.client.get(ORIGIN + path)).text


async def test_without_a_built_app_it_says_so(api: Api, tmp_path: Path) -> None:
    api.app.router.default = WebApp(tmp_path / "nothing")
    response = await api.client.get("/")

    assert response.status_code == 503
    assert "make web" in response.text
