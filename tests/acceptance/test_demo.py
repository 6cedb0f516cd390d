"""`make demo` as a visitor meets it: what it says, shows, costs and leaves behind."""

from pathlib import Path

import httpx
import psutil
import pytest

from support.servers.demo import DemoProcess
from support.servers.demo_runs import Battered, Settled

pytestmark = pytest.mark.timeout(900)

MIB = 1024 * 1024


def test_two_settled_intervals_agree_with_the_ground_truth(settled: Settled) -> None:
    settled.wait()
    report = settled.first.report
    assert settled.first.process.returncode == 0, settled.first.said
    assert report["reconciled"] is True
    assert report["meters"] == 15
    assert report["rejected"] == 0
    assert len(report["intervals"]) == 2
    for interval in report["intervals"]:
        assert interval["ground_truth_differences"] == []
        assert interval["traded_wh"] > 0
        balance = interval["export_wh"] - interval["import_wh"]
        assert balance == interval["utility_sold_wh"] - interval["utility_bought_wh"]
        assert interval["transactions"] >= 5


def test_a_second_start_goes_on_where_the_first_stopped(settled: Settled) -> None:
    settled.wait()
    first, second = settled.first.report, settled.second.report
    assert settled.second.process.returncode == 0, settled.second.said
    assert second["reconciled"] is True
    assert second["readings"] > first["readings"]
    assert second["intervals"][0]["start_at"] > first["intervals"][-1]["start_at"]


def test_a_settled_interval_within_three_minutes_of_boot(settled: Settled) -> None:
    """With the default interval, from the command on: a promise of the product, so here the time itself is tested."""
    settled.wait()
    assert settled.seconds_to_first < 180, settled.first.said


def test_a_visitor_signs_in_and_sees_a_final_trade(battered: Battered) -> None:
    answer = httpx.post(
        f"{battered.demo.url}/api/v1/auth/login",
        json={"email": "ada@campus.example", "password": battered.demo.password},
    )
    assert answer.status_code == 200, answer.text
    headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    trades = httpx.get(f"{battered.demo.url}/api/v1/trades", headers=headers).json()["items"]
    assert any(trade["state"] == "final" for trade in trades)
    assert "text/html" in httpx.get(battered.demo.url).headers["content-type"]


def test_killed_parts_cost_no_watt_hour_and_no_micro(battered: Battered) -> None:
    demo = battered.demo
    starts = [row["start_at"] for row in demo.until_reconciled(1, 10)]
    assert set(battered.killed) == {"agent", "worker", "ledger"}
    report = demo.report_of(starts)
    assert [i["ground_truth_differences"] for i in report["intervals"]] == [[]] * len(starts)
    assert report["reconciled"] is True
    done = demo.hub("reconcile")
    assert done.returncode == 0, done.stdout + done.stderr


def test_nothing_listens_beyond_loopback(battered: Battered) -> None:
    listening = [
        connection.laddr.ip
        for process in battered.demo.descendants()
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert len(listening) >= 8
    assert set(listening) <= {"127.0.0.1", "::1"}


def test_the_demo_itself_holds_the_listeners_of_the_api(battered: Battered) -> None:
    """So nobody takes their ports before the API is up, nor while it is started again."""
    connections = psutil.Process(battered.demo.process.pid).net_connections("inet")
    held = {connection.laddr.port for connection in connections if connection.status == psutil.CONN_LISTEN}
    assert held == {battered.demo.settings.web_port, battered.demo.settings.device_port}


def test_memory_stays_small(battered: Battered) -> None:
    processes = battered.demo.descendants()
    total = sum(process.memory_full_info().pss for process in processes)
    agents = [p.memory_info().rss for p in processes if any("peerwatt-edge" in word for word in p.cmdline())]
    assert len(agents) == 3
    assert max(agents) < 80 * MIB
    assert total < 1536 * MIB


def test_doctor_finds_nothing_to_mend(battered: Battered) -> None:
    done = battered.demo.hub("doctor")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""


def test_a_second_demo_in_the_same_folder_is_refused(battered: Battered) -> None:
    other = DemoProcess(battered.demo.state).start()
    assert other.wait(30) == 78
    assert "already running" in other.said
    assert "--state DIR" in other.said


def test_a_demo_that_ends_by_itself_leaves_no_process(settled: Settled) -> None:
    settled.wait()
    folder = str(settled.folder / "settled")
    assert not [p for p in psutil.process_iter(["cmdline"]) if folder in " ".join(p.info["cmdline"] or [])]


def test_ctrl_c_ends_everything_within_ten_seconds(tmp_path: Path) -> None:
    """A promise of the product, so here the time itself is tested."""
    demo = DemoProcess(tmp_path / "state").start()
    try:
        processes = demo.until_running().descendants()
        assert len(processes) >= 20
        assert demo.stop() < 10, demo.said
    finally:
        demo.end()
    assert demo.process.returncode == 0
    assert demo.says[-1] == "stopped; the next start goes on from here"
    assert not [process for process in processes if process.is_running()]
