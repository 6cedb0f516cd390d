"""The rows behind the bills are hashed and netted again: each changed row is found, and named by what it belongs to."""

from uuid import UUID

import pytest

from hub.clock import ManualClock
from hub.postgres.db import Pool
from hub.settlement import repository, row_audit
from hub.settlement.planner import plan_cleared
from support.rows.site_rows import add_participant, lead, wallet
from support.rows.worked_example import INTERVAL_S, START_S, A, B, C

CLOCK = ManualClock((START_S + 10 * INTERVAL_S) * 1000)
QUIET_S = START_S + INTERVAL_S

READINGS = "the interval readings are not those of the attested root"
LINES = "the settlement lines are not those of the committed root"
NETTED = "the trades do not net to the settlement lines"
JOURNAL = "orders and trades are not those of the committed journal"
UTILITY = "the utility lines of {} do not follow from energy and trades"


@pytest.fixture
async def planned(cleared: Pool) -> Pool:
    await plan_cleared(cleared, await lead(cleared), CLOCK)
    return cleared


async def differences(pool: Pool, start_s: int = START_S) -> list[str]:
    async with pool.acquire() as connection:
        return await row_audit.differences(connection, await repository.interval_rows(connection, start_s))


async def test_rows_that_agree_have_no_difference(planned: Pool) -> None:
    assert await differences(planned) == await differences(planned, QUIET_S) == []


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (
            "UPDATE interval_readings SET import_wh = import_wh + 1 WHERE meter_id = 'METER_011'",
            [
                READINGS,
                "the valid interval readings sum to (601, 300) Wh, not to what was attested",
                UTILITY.format(B),
            ],
        ),
        (
            "UPDATE interval_readings SET export_wh = export_wh + 1 WHERE meter_id = 'METER_010'",
            [
                READINGS,
                "the valid interval readings sum to (600, 301) Wh, not to what was attested",
                UTILITY.format(A),
            ],
        ),
        ("UPDATE interval_readings SET blinding = substring(sha256(blinding) FROM 1 FOR 16)", [READINGS]),
        ("UPDATE attestations SET merkle_root = lines_root FROM settlements", [READINGS]),
        (
            "UPDATE attestations SET import_wh = import_wh + 1",
            ["the valid interval readings sum to (600, 300) Wh, not to what was attested"],
        ),
        (
            "UPDATE attestations SET export_wh = export_wh + 1",
            ["the valid interval readings sum to (600, 300) Wh, not to what was attested"],
        ),
        (
            "UPDATE settlement_lines SET debit_micros = debit_micros + 1 WHERE line_index = 0",
            ["debit_micros of the lines is 1275001, 1275000 was committed", LINES, NETTED],
        ),
        (
            "UPDATE settlement_lines SET credit_micros = credit_micros + 1 WHERE line_index = 2",
            ["credit_micros of the lines is 1236001, 1236000 was committed", LINES, NETTED],
        ),
        (
            "UPDATE settlements SET sold_wh = sold_wh + 1",
            ["sold_wh of the lines is 300, 301 was committed"],
        ),
        (
            "UPDATE settlements SET bought_wh = bought_wh + 1",
            ["bought_wh of the lines is 300, 301 was committed"],
        ),
        (
            "UPDATE settlements SET line_count = line_count + 1",
            ["line_count of the lines is 3, 4 was committed"],
        ),
        ("UPDATE settlements SET lines_root = sha256(lines_root)", [LINES]),
        ("UPDATE clearings SET journal_hash = sha256(journal_hash)", [JOURNAL]),
        ("UPDATE utility_lines SET amount_micros = amount_micros + 1 WHERE utility_wh < 0",
         [UTILITY.format(f"{B}, {C}")]),
        ("DELETE FROM utility_lines WHERE utility_wh = 0", [UTILITY.format(A)]),
    ],
)  # fmt: skip
async def test_a_changed_row_is_found(planned: Pool, change: str, found: list[str]) -> None:
    await planned.execute(change)
    assert await differences(planned) == found


async def test_a_line_of_another_wallet_is_found(planned: Pool) -> None:
    await planned.execute("UPDATE settlement_lines SET wallet = $1 WHERE line_index = 0", wallet(A))
    assert await differences(planned) == [LINES]


async def test_another_trade_is_found(planned: Pool) -> None:
    await planned.execute("UPDATE trades SET price_mills = price_mills + 1 WHERE fill_index = 0")
    assert await differences(planned) == [NETTED, JOURNAL]


async def test_a_trader_without_a_line_is_found(planned: Pool) -> None:
    await planned.execute("DELETE FROM settlement_lines WHERE participant_id = $1", A)
    found = await differences(planned)
    assert any(text.startswith("the trades can not be netted: ") for text in found) and LINES in found


async def test_five_participants_are_named(planned: Pool) -> None:
    """Those of lines that nothing accounts for too."""
    strangers = [UUID(int=number) for number in range(1, 7)]
    for stranger in strangers:
        await add_participant(planned, stranger)
    await planned.execute(
        """
        INSERT INTO utility_lines
        SELECT u.start_at, u.revision, stranger, u.utility_wh, u.tariff_mills, u.amount_micros, u.quality
        FROM (SELECT * FROM utility_lines ORDER BY start_at LIMIT 1) u, unnest($1::uuid[]) stranger
        """,
        strangers,
    )
    assert await differences(planned) == [UTILITY.format(", ".join(map(str, strangers[:5])))]
