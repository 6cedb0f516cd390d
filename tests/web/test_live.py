"""A reading that is stored while the page is open changes its figure in place."""

from typing import Any

from hub.clock import at_s
from hub.live import outbox
from support.rows.seed import ANNA, BOOT, GATEWAY, NOW_S, stand_in
from support.servers.browser import Site

CLEARING = {
    "start_at": "2026-06-01T09:45:00Z", "end_at": "2026-06-01T10:00:00Z", "price_mills": 4120, "volume_wh": 900,
}  # fmt: skip
CLEARED = "11:45\u201312:00: 900 Wh at CHF 4.12 per kWh"


async def test_a_new_reading_changes_the_power_without_a_reload(site: Site) -> None:
    async with site.script("live") as script:
        before = await script.fact()
        assert before["power"] == "900 W"

        async with site.pool.acquire() as connection, connection.transaction():
            await _reading(connection, "live", 10, -1240)
        script.go_on()
        after = await script.fact()
        await script.fact()
        async with site.pool.acquire() as connection, connection.transaction():
            await outbox.append(connection, "clearing", CLEARING)
            await outbox.append(connection, "interval", {"start_at": CLEARING["start_at"]}, ANNA)
            await _reading(connection, "behind the clearing", 5, -500)
        script.go_on()
        announcement, end = await script.facts()

    assert after == {
        "power": "1.2 kW",
        "sentence": "You are giving 1.2 kW, to your neighbours first, at CHF 3.80 per kWh.",
        "moved": 0,
        "reloaded": False,
    }
    assert announcement == {"announced": [CLEARED], "stands": CLEARED}, "once, and not blanked by what comes behind it"
    assert end == {"errors": []}


async def _reading(connection: Any, name: str, before_s: int, power_w: int) -> None:
    """Stores a reading as ingest does: the row and its event in one transaction."""
    slot = at_s(NOW_S - before_s)
    await connection.execute(
        "INSERT INTO readings (reading_id, meter_id, gateway_id, boot_id, frame_sequence, record_index, "
        "meter_sequence, slot_at, read_at, time_quality, meter_state, flags, import_wh, export_wh, active_power_w) "
        "VALUES ($1, 'METER_001', $2, $3, 5, 0, $5, $4, $4, 'S', 'G', 0, 51000, 22500, $6)",
        stand_in(name), GATEWAY, BOOT, slot, 200 - before_s, power_w,
    )  # fmt: skip
    await outbox.append(connection, "reading", {"meter_id": "METER_001", "active_power_w": power_w}, ANNA)
