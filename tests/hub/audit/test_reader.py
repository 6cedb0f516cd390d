"""What an auditor reads from a node and from a hub, and how it takes their faults."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from solana.rpc.commitment import Finalized
from solders.pubkey import Pubkey

from hub.audit import reader
from hub.audit.audit import audit
from hub.audit.checks import failed_checks
from hub.audit.reader import HubUnreachableError, NoChainError, fetch_journals, read_site
from hub.chain import pdas
from hub.chain.client import ChainClient
from hub.chain.errors import ProgramError
from hub.chain.instructions import trading
from hub.settlement import repository
from hub.settlement.instructions import chain_lines
from support.servers.faulty_node import Call, Result, faulty_node
from support.servers.listener import listening
from support.settlement.campus import SettlingCampus, meter_of

START_S = 1_780_308_000
PATH = "/api/v1/clearings/2026-06-01T10:00:00Z/journal"


async def settled(campus: SettlingCampus) -> int:
    start_s = await campus.interval((600, 400, -300, -500, -700))
    assert await (await campus.submitter()).settle_due() == [start_s]
    return start_s


async def failed(chain: ChainClient, start_s: int) -> set[str]:
    """Returns the names of the checks that fail for anybody who asks this node and no hub."""
    site = await read_site(chain)
    (interval,) = (await audit(chain, site, {}, [start_s], None)).intervals
    return failed_checks(interval.results)


# The node ------------------------------------------------------------------------------------------------------------


async def test_a_settle_that_failed_is_no_line(campus: SettlingCampus) -> None:
    """Anybody can send one that names the settlement; it is on the chain, and did nothing."""
    start_s, chain, keys = await settled(campus), campus.chain, campus.keys
    async with campus.pool.acquire() as connection:
        lines = chain_lines(await repository.interval_rows(connection, start_s))
    again = trading.settle(keys.settler.pubkey(), start_s, 0, lines[:2])
    transaction = await chain.prepare([again], [keys.fee_payer, keys.settler], compute_limit=200_000)
    await chain.send(transaction, preflight=False)
    with pytest.raises(ProgramError):
        await chain.wait(transaction)
    request = chain.rpc.get_signatures_for_address(pdas.settlement(start_s))
    named = [entry.signature for entry in (await chain.call(request)).value]
    assert transaction.signature in named
    assert await failed(chain, start_s) == set()


async def test_settlements_with_more_transactions_than_a_page_are_read_whole(
    campus: SettlingCampus, monkeypatch: pytest.MonkeyPatch
) -> None:
    start_s = await settled(campus)
    transactions = 5  # opened, three batches, closed
    for page_size in (1, 2, transactions, 1000):
        monkeypatch.setattr(reader, "PAGE_SIZE", page_size)
        assert await failed(campus.chain, start_s) == set()
    monkeypatch.setattr(reader, "PAGE_SIZE", 1)
    monkeypatch.setattr(reader, "MAX_PAGES", transactions)
    assert await failed(campus.chain, start_s) == set()
    monkeypatch.setattr(reader, "MAX_PAGES", 3)
    assert await failed(campus.chain, start_s) == {"lines_committed"}


async def test_a_node_that_has_thrown_transactions_away_is_not_enough(
    campus: SettlingCampus, monkeypatch: pytest.MonkeyPatch
) -> None:
    start_s = await settled(campus)

    async def forgets(call: Call) -> Result | None:
        return call.answer(None) if call.method == "getTransaction" else None

    async with faulty_node(campus.chain.url) as node, ChainClient(node.url) as chain:
        node.faults.append(forgets)
        assert await failed(chain, start_s) == {"lines_committed"}
        asked = node.calls.total()
        for most, calls in ((1, 1), (2, 2), (3, 2)):
            monkeypatch.setattr(reader, "MAX_REVISIONS", most)
            assert [revision.number for revision in await reader.read_revisions(chain, start_s)] == [1]
            assert node.calls.total() - asked == calls, "no correction is asked for beyond the limit, or after none"
            asked = node.calls.total()


async def test_a_site_is_what_governance_and_registry_say(campus: SettlingCampus) -> None:
    earlier_s, site, later_s = await final_time(campus), await read_site(campus.chain), await final_time(campus)
    assert earlier_s <= site.now_s <= later_s
    assert site.interval_s == 2
    assert sorted(meter.meter_id for meter in site.meters) == [meter_of(number) for number in range(5)]


async def final_time(campus: SettlingCampus) -> int:
    slot = (await campus.chain.call(campus.chain.rpc.get_slot(Finalized))).value
    return await campus.chain.block_time_s(slot) or 0


@pytest.mark.parametrize("missing", [pdas.oracle_config(), pdas.governance_params(), None])
async def test_a_chain_that_was_not_founded_is_refused(campus: SettlingCampus, missing: Pubkey | None) -> None:
    """One of the accounts is not there, or the node does not know the time of its newest block."""

    async def lacks(call: Call) -> Result | None:
        if missing is None:
            return call.answer(None) if call.method == "getBlockTime" else None
        asked = call.method == "getMultipleAccounts" and call.params[0] == [str(missing)]
        return call.answer({"context": {"slot": 1}, "value": [None]}) if asked else None

    async with faulty_node(campus.chain.url) as node, ChainClient(node.url) as chain:
        assert (await read_site(chain)).interval_s == 2
        node.faults.append(lacks)
        with pytest.raises(NoChainError, match="name the RPC of the chain") as refused:
            await read_site(chain)
    assert refused.value.code == "no_chain"


# The hub -------------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def hub(*answers: bytes) -> AsyncIterator[str]:
    """Serves HTTP answers, one after the other, for the journal of ``START_S``, and 404 for others; yields the URL.

    The hub answers below ``/X`` too, as behind a proxy.
    """
    left = list(answers)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            request = await reader.readuntil(b"\r\n\r\n")
            asked = request.removeprefix(b"GET ").removeprefix(b"/X")
            writer.write(left.pop(0) if asked.startswith(f"{PATH} ".encode()) else NOT_FOUND)

    async with listening(serve) as listener:
        yield f"http://127.0.0.1:{listener.port}"


NOT_FOUND = b"HTTP/1.1 404 .\r\ncontent-length: 0\r\n\r\n"
UNAVAILABLE = b"HTTP/1.1 503 .\r\ncontent-length: 0\r\n\r\n"
IN_PARTS = b"HTTP/1.1 200 .\r\ntransfer-encoding: chunked\r\n\r\n4\r\njour\r\n3\r\nnal\r\n0\r\n\r\n"


@pytest.mark.parametrize("end", ["", "/", "//", "/X", "/X/"])
async def test_a_journal_is_read_in_all_its_parts(end: str) -> None:
    async with hub(IN_PARTS) as url:
        journals = await fetch_journals(url + end, [START_S, START_S + 900])
    assert journals == {START_S: b"journal", START_S + 900: None}


async def test_a_longer_answer_than_any_journal_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    async with hub(IN_PARTS, IN_PARTS) as url:
        monkeypatch.setattr(reader, "MAX_JOURNAL_BYTES", 7)
        assert await fetch_journals(url, [START_S]) == {START_S: b"journal"}
        monkeypatch.setattr(reader, "MAX_JOURNAL_BYTES", 6)
        with pytest.raises(HubUnreachableError, match="longer than any journal: check the address"):
            await fetch_journals(url, [START_S])


async def test_another_answer_than_a_journal_is_refused() -> None:
    async with hub(UNAVAILABLE) as url:
        with pytest.raises(HubUnreachableError, match="check --hub, or try later") as refused:
            await fetch_journals(url, [START_S])
    assert refused.value.code == "hub_unreachable"


def test_limits() -> None:
    """A page is the most that a node gives; longer journals than the hub makes are nobody's."""
    assert (reader.MAX_REVISIONS, reader.MAX_PAGES, reader.PAGE_SIZE) == (100, 100, 1000)
    assert reader.MAX_JOURNAL_BYTES == 67_108_864
