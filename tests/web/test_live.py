"""A reading that is stored while the page is open changes its figure in place."""

from typing import Any

from hub.clock import at_s
from hub.live import journal
from support.browser import Site
from support.seed import ANNA, BOOT, GATEWAY, NOW_S, named


async def test_a_new_reading_changes_the_power_without_a_reload(site: Site) -> None:
    async with site.script("live") as script:
        before = await script.fact()
        assert before["power"] == "900 W"

        async with site.pool.acquire() as connection, connection.transaction():
            await _reading(connection)
        script.go_on()
        after, end = await script.facts()

    assert after == {
        "power": "1.2 kW",
        "sentence": "You are giving 1.2 kW to your neighbours at CHF 3.80 per kWh.",
        "moved": 0,
        "reloaded": False,
    }
    assert end == {"faults": []}


async def _reading(connection: Any) -> None:
    """As the ingest stores it: the row and its event in one transaction."""
    slot = at_s(NOW_S - 10)
    await connection.execute(
        "INSERT INTO readings (reading_id, meter_id, gateway_id, boot_id, frame_sequence, record_index, "
        "meter_sequence, slot_at, read_at, time_quality, meter_state, flags, import_wh, export_wh, active_power_w) "
        "VALUES ($1, 'METER_001', $2, $3, 5, 0, 99, $4, $4, 'S', 'G', 0, 51000, 22500, -1240)",
        named("a live reading"), GATEWAY, BOOT, slot,
    )  # fmt: skip
    await journal.append(connection, "reading", {"meter_id": "METER_001", "active_power_w": -1240}, ANNA)
