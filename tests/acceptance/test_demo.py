"""`make demo` as a visitor meets it: what it says, shows, costs and leaves behind."""

import httpx
import psutil
import pytest

from support.servers.demo import DemoProcess
from support.servers.demo_runs import CrashDemo, SettledDemo

pytestmark = pytest.mark.timeout(900)

MIB = 1024 * 1024


def test_two_settled_intervals_agree_with_the_ground_truth(settled_demo: SettledDemo) -> None:
    settled_demo.wait()
    report = settled_demo.first.report
    assert settled_demo.first.process.returncode == 0, settled_demo.first.stderr
    assert report["reconciled"] is True
    assert report["meters"] == 15
    assert report["rejected"] == 0
    assert len(report["intervals"]) == 2
    assert (report["reconcile_differences"], report["audit_findings"]) == ([], [])
    assert (report["reconcile_checked"] >= 2, report["audit_checked"]) == (True, 2)
    assert "audit: 2 intervals, nothing FAILED" in settled_demo.first.stderr
    for interval in report["intervals"]:
        assert interval["ground_truth_differences"] == []
        assert interval["traded_wh"] > 0
        balance = interval["export_wh"] - interval["import_wh"]
        assert balance == interval["utility_sold_wh"] - interval["utility_bought_wh"]
        assert interval["transactions"] >= 5


def test_a_second_start_goes_on_where_the_first_stopped(settled_demo: SettledDemo) -> None:
    settled_demo.wait()
    first, second = settled_demo.first.report, settled_demo.second.report
    assert settled_demo.second.process.returncode == 0, settled_demo.second.stderr
    assert second["reconciled"] is True
    assert second["readings"] > first["readings"]
    assert second["intervals"][0]["start_at"] > first["intervals"][-1]["start_at"]


def test_a_settled_interval_within_three_minutes_of_boot(settled_demo: SettledDemo) -> None:
    """With the default interval, from the command on: a promise of the product, so here the time itself is tested."""
    settled_demo.wait()
    assert settled_demo.first_settled_s < 180, settled_demo.first.stderr


def test_a_visitor_signs_in_and_sees_a_final_trade(crash_demo: CrashDemo) -> None:
    answer = httpx.post(
        f"{crash_demo.demo.url}/api/v1/auth/login",
        json={"email": "ada@campus.example", "password": crash_demo.demo.password},
    )
    assert answer.status_code == 200, answer.text
    headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    trades = httpx.get(f"{crash_demo.demo.url}/api/v1/trades", headers=headers).json()["items"]
    assert any(trade["state"] == "final" for trade in trades)
    assert "text/html" in httpx.get(crash_demo.demo.url).headers["content-type"]


def test_killed_parts_cost_no_watt_hour_and_no_micro(crash_demo: CrashDemo) -> None:
    demo = crash_demo.demo
    starts = [row["start_at"] for row in demo.until_reconciled(1, 10)]
    assert set(crash_demo.killed) == {"agent", "worker", "ledger"}
    report = demo.report_of(starts)
    assert [i["ground_truth_differences"] for i in report["intervals"]] == [[]] * len(starts)
    assert report["reconciled"] is True
    done = demo.hub("reconcile")
    assert done.returncode == 0, done.stdout + done.stderr


def test_nothing_listens_beyond_loopback(crash_demo: CrashDemo) -> None:
    listening = [
        connection.laddr.ip
        for process in crash_demo.demo.descendants()
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert len(listening) >= 8
    assert set(listening) <= {"127.0.0.1", "::1"}


def test_the_demo_itself_holds_the_listeners_of_the_api(crash_demo: CrashDemo) -> None:
    """So nobody takes their ports before the API is up, nor while it is started again."""
    connections = psutil.Process(crash_demo.demo.process.pid).net_connections("inet")
    held = {connection.laddr.port for connection in connections if connection.status == psutil.CONN_LISTEN}
    assert held == {crash_demo.demo.settings.web_port, crash_demo.demo.settings.device_port}


def test_memory_stays_small(crash_demo: CrashDemo) -> None:
    processes = crash_demo.demo.descendants()
    total = sum(process.memory_full_info().pss for process in processes)
    agents = [p.memory_info().rss for p in processes if any("peerwatt-edge" in word for word in p.cmdline())]
    assert len(agents) == 3
    assert max(agents) < 80 * MIB
    assert total < 1536 * MIB


def test_doctor_finds_nothing_to_mend(crash_demo: CrashDemo) -> None:
    done = crash_demo.demo.hub("doctor")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""


def test_a_second_demo_in_the_same_folder_is_refused(crash_demo: CrashDemo) -> None:
    other = DemoProcess(crash_demo.demo.state).start()
    assert other.wait(30) == 78
    assert "already running" in other.stderr
    assert "--state DIR" in other.stderr


def test_a_demo_that_ends_by_itself_leaves_no_process(settled_demo: SettledDemo) -> None:
    settled_demo.wait()
    folder = str(settled_demo.folder / "settled")
    assert not [p for p in psutil.process_iter(["cmdline"]) if folder in " ".join(p.info["cmdline"] or [])]


def test_two_demos_that_start_together_do_not_want_one_port(settled_demo: SettledDemo, crash_demo: CrashDemo) -> None:
    settled_demo.wait()
    assert settled_demo.first.url != crash_demo.demo.url
