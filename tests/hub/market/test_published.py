"""The endpoint of an interval's journal: no sign-in is needed, and the settlement commits to its bytes."""

from hub.clock import at_s
from hub.http.types import utc_text
from hub.market.published_journal import read_journal
from hub.market.service import published_journal
from support.rows.seed import END_S, LINES, PRICE, START_S
from support.servers.api import Api, problem


async def test_a_cleared_intervals_journal_needs_no_sign_in(api: Api) -> None:
    answer = await api.get(f"/clearings/{utc_text(at_s(START_S))}/journal")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/octet-stream")
    async with api.pool.acquire() as connection:
        assert answer.content == await published_journal(connection, START_S)
    journal = read_journal(answer.content)
    assert (journal.price_mills, len(journal.orders), len(journal.trades)) == (PRICE, 3, 2)
    assert not [participant for participant in LINES if participant.bytes in answer.content]


async def test_what_is_not_cleared_has_none(api: Api) -> None:
    problem(await api.get(f"/clearings/{utc_text(at_s(END_S))}/journal"), 404, "not_found")
    problem(await api.get("/clearings/yesterday/journal"), 422, "invalid_request")
