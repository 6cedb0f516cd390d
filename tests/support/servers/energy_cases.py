"""A demo whose meters have inputs that once billed energy which nobody had measured, and whose hub has troubles."""

import asyncio
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from edge.keystore import load_frame_key
from edge.wire.subjects import frame_subject
from hub.clock import ManualClock
from hub.metering.clocks import ClocksDifferError
from hub.metering.rounds import AttestationRound
from hub.postgres.db import create_pool
from hub.postgres.lease import acquire
from support.rows.gateways import SealingGateway, reading
from support.servers.background import Background
from support.servers.demo import DemoProcess
from support.servers.demo_runs import DemoRun
from support.servers.frame_sender import publish
from support.servers.port_proxy import port_proxy

FIRST_FAULT_S = 10 * 3600 + 3 * 60 + 30
"""Seconds after midnight at the site at which the first interval with faults begins; until then the demo must be up."""
OUTAGE_S = 130
"""How long a gateway does not reach the hub."""
SCENARIO = Path(__file__).parent / "energy_cases.toml"
GENERATORS = {"METER_001", "METER_003", "METER_006", "METER_008", "METER_010", "METER_011", "METER_013"}
METERS = [f"METER_{number:03}" for number in range(1, 16)]
THIRTY_KW = {"METER_015"}
NEARLY_9000_S = 221_845_305_600
INTERVAL_S = 30


@dataclass(eq=False)
class EnergyCasesDemo(DemoRun):
    """A demo of short intervals whose meters have faults, one of whose gateways is cut off, and whose worker stops.

    Power is constant, so that every interval has the same energy whatever time a slow machine needs.
    """

    demo: DemoProcess = field(init=False)
    first_s: int = 0
    """When the first interval with faults begins, in s since 1970."""
    wrong_clock: str = ""
    """What a worker says whose clock is an hour ahead."""
    attested_by_wrong_clock: int = -1
    outage: tuple[int, int] = (0, 0)
    """From when until when a gateway was cut off, in s since 1970."""

    def play(self) -> None:
        replay = self.folder / "power.csv"
        replay.write_text(_power())
        self.demo = DemoProcess(
            self.folder / "energy", ("--interval", str(INTERVAL_S), "--faults", str(SCENARIO)),
            environment={"PEERWATT_SIM_REPLAY": str(replay)},
        ).start().until_running(150)  # fmt: skip
        self.first_s = self._wall_s(FIRST_FAULT_S)
        assert time.time() < self.first_s - 90, "the demo was up too late for its scenario"
        with Background() as background, background.entered(port_proxy()) as proxy:
            port = int(self.demo.settings.nats_url.rpartition(":")[2])
            self._send_impossible_readings()
            with background.entered(proxy.forwarding(port)):
                self._lead_through(proxy.port)
                self._wait_until(self.first_s + 10)
            self.outage = int(time.time()), int(time.time()) + OUTAGE_S
            self._stop_worker()
            self._wait_until(self.outage[1])
            with background.entered(proxy.forwarding(port)):
                self.demo.until(self._are_final, 240, "every interval with faults to be final")

    def _wall_s(self, site_s: int) -> int:
        """Returns a time of the site's day, in s after its midnight, in s since 1970 by the wall clock."""
        settings = self.demo.settings
        now = datetime.fromtimestamp(time.time() + settings.sun_offset_s, ZoneInfo(settings.site_timezone))
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        return int(midnight.timestamp()) + site_s - settings.sun_offset_s

    def _wait_until(self, moment_s: float) -> None:
        self.demo.until(lambda: True if time.time() >= moment_s else None, 300, "the next act")

    def _lead_through(self, port: int) -> None:
        """Lets a gateway reach the hub's NATS through our port, after a restart."""
        config = self.demo.state / "gw-south" / "edge.toml"
        config.write_text(config.read_text().replace(self.demo.settings.nats_url, f"tls://127.0.0.1:{port}"))
        self.demo.part("peerwatt-edge", "gw-south").kill()

    def _send_impossible_readings(self) -> None:
        """Sends what no agent would sign: a reading of the last day before the year 9000, and one of 2^63 - 1 Wh."""
        key = load_frame_key(self.demo.state / "gw-north" / "keys")
        gateway = SealingGateway("gw-north", ("METER_005",), key=key)
        now_s = int(time.time()) // 10 * 10
        for impossible in (
            reading(0, 900_001, slot_s=NEARLY_9000_S),
            reading(0, 900_002, slot_s=now_s, import_wh=2**63 - 1),
        ):
            frame = gateway.seal([*gateway.declarations(), impossible])
            publish(self.demo, "gw-north", frame_subject("gw-north"), frame.encode())

    def _stop_worker(self) -> None:
        """Stops the worker for 45 s; meanwhile one whose clock is an hour ahead takes its place."""
        worker = self.demo.part("peerwatt-hub", "worker")
        worker.suspend()
        begun_s = time.time()
        before = self._newest_attested_s()
        self.wrong_clock = self.demo.until(self._attest_an_hour_ahead, 60, "the lease of the worker that stopped")
        self.attested_by_wrong_clock = self._newest_attested_s() - before
        self._wait_until(begun_s + 45)
        worker.resume()

    def _newest_attested_s(self) -> int:
        rows = self.demo.query("SELECT coalesce(extract(epoch FROM max(start_at)), 0)::bigint AS s FROM intervals")
        return int(rows[0]["s"])

    def _attest_an_hour_ahead(self) -> str | None:
        """Runs the oracle with a wrong clock; returns what it refused with, None while another worker leads."""

        async def attest() -> str | None:
            pool = await create_pool(self.demo.settings.database_url.get_secret_value(), size=2)
            clock = ManualClock(int(time.time() * 1000) + 3_600_000)
            try:
                async with pool.acquire() as connection:
                    lease = await acquire(connection, "oracle", "an hour ahead", seconds=10)
                if lease is None:
                    return None
                await AttestationRound(self.demo.settings, pool, clock).run(lease)
            except ClocksDifferError as error:
                return str(error)
            finally:
                await pool.close()
            return "attested"

        return asyncio.run(attest())

    def _are_final(self) -> bool | None:
        """Whether all intervals until the end of the outage are reconciled, and nothing is left to be corrected."""
        rows = self.demo.query(
            """
            SELECT count(*) FILTER (WHERE state = 'reconciled') AS done,
                   count(m.*) AS marks, count(a.*) AS unsent
            FROM intervals i LEFT JOIN interval_marks m USING (start_at)
            LEFT JOIN attestations a ON a.start_at = i.start_at AND a.revision > 1 AND a.final_at IS NULL
            WHERE i.start_at BETWEEN to_timestamp($1) AND to_timestamp($2)
            """,
            self.first_s - 2 * INTERVAL_S, self.outage[1],
        )  # fmt: skip
        wanted = (self.outage[1] - self.first_s) // INTERVAL_S + 3
        return True if (rows[0]["done"], rows[0]["marks"], rows[0]["unsent"]) == (wanted, 0, 0) else None

    def end(self) -> None:
        if hasattr(self, "demo"):
            self.demo.end()


def _power() -> str:
    """Returns the replay file of a campus whose power never changes: in W, positive is import."""
    watts = {name: -14_400 if name in GENERATORS else 30_000 if name in THIRTY_KW else 18_000 for name in METERS}
    row = ",".join(str(watts[name]) for name in METERS)
    return f"time,{','.join(METERS)}\n2026-06-17T08:00:00Z,{row}\n2026-06-17T09:00:00Z,{row}\n"
