"""One reading through every hop, in order, with times."""

import json

import pytest

from support.servers.demo_runs import CrashDemo

pytestmark = pytest.mark.timeout(900)

ORDER = (
    "served", "read", "sealed", "published", "received", "verified", "stored", "attested", "cleared", "planned",
    "finalised", "reconciled", "shown",
)  # fmt: skip


def test_the_hops_of_one_reading_follow_each_other(crash_demo: CrashDemo) -> None:
    start = crash_demo.demo.until_reconciled(1, 10)[0]
    (reading,) = crash_demo.demo.query(
        "SELECT encode(reading_id, 'hex') AS id FROM readings WHERE meter_id = 'METER_001' AND slot_at = $1",
        start["end_at"],
    )
    done = crash_demo.demo.hub("trace", reading["id"], "--json")
    assert done.returncode == 0, done.stderr
    # Whether something came late enough to be corrected is up to the machine
    hops = [hop for hop in json.loads(done.stdout)["hops"] if hop["name"] != "corrected"]
    assert tuple(hop["name"] for hop in hops) == ORDER
    assert [hop["file"] for hop in hops if hop["file"].startswith("edge/")] == [
        "edge/meters, edge/poller.py", "edge/store/ledger.py", "edge/uplink/uplink.py"
    ]  # fmt: skip
    times = [hop["at"] for hop in hops]
    assert None not in times
    assert times == sorted(times)


def test_an_unknown_reading_is_refused_with_a_way_out(crash_demo: CrashDemo) -> None:
    done = crash_demo.demo.hub("trace", "00" * 32)
    assert done.returncode == 1
    assert "no reading whose id begins with" in done.stderr
    assert crash_demo.demo.hub("trace", "zz").returncode == 1
