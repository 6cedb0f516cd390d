"""`peerwatt-hub take-back` against a real database and chain: taken back, nothing to do, refused, badly asked."""

import asyncio
import json
from pathlib import Path

import pytest

from hub.clock import rfc3339_s
from support.commands import run_hub
from support.settlement.campus import ENERGY, SettlingCampus

WHO = ("--by", "Olga", "--reason", "The clock was ahead")


@pytest.fixture
def config(tmp_path: Path, db_url: str, campus: SettlingCampus) -> str:
    """A file with the settings of a hub at this database and chain."""
    file = tmp_path / "hub.toml"
    file.write_text(f'state_dir = "{tmp_path}"\ndatabase_url = "{db_url}"\nrpc_url = "{campus.chain.url}"\n')
    return str(file)


async def test_a_planned_interval_is_taken_back_and_one_on_the_chain_is_not(
    campus: SettlingCampus, config: str
) -> None:
    settled_s = await campus.interval(ENERGY)
    await (await campus.submitter()).settle_due()
    planned_s = await campus.interval(ENERGY)

    refused = await asyncio.to_thread(run_hub, "take-back", "--config", config, rfc3339_s(settled_s), *WHO, "--json")
    assert refused.returncode == 1 and json.loads(refused.stdout)["error"] == "already_sent"
    assert f"from {rfc3339_s(planned_s)} on nothing is sent yet" in refused.stderr

    done = await asyncio.to_thread(run_hub, "take-back", "--config", config, rfc3339_s(planned_s), *WHO)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"Took back the interval of {rfc3339_s(planned_s)} (record 1): the worker attests anew\n"
    again = await asyncio.to_thread(run_hub, "take-back", "--config", config, rfc3339_s(planned_s), *WHO, "--json")
    assert json.loads(again.stdout) == {"taken_back": [], "record": None}
    assert await campus.pool.fetchval("SELECT count(*) FROM intervals") == 1
    row = await campus.pool.fetchrow("SELECT taken_by, reason FROM taken_back")
    assert row is not None and tuple(row) == (WHO[1], WHO[3])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("2026-06-01T10:00:00", *WHO), "a whole second in UTC"),
        (("yesterday", *WHO), "a whole second in UTC"),
        (("2026-06-01T10:00:00Z", "--by", "Olga"), "--reason"),
        (("2026-06-01T10:00:00Z", "--by", "Olga", "--reason", "x"), "3 to 500 characters"),
    ],
    ids=str,
)
def test_what_is_badly_asked_is_a_usage_error(arguments: tuple[str, ...], said: str) -> None:
    result = run_hub("take-back", *arguments)
    assert result.returncode == 2 and said in result.stderr
