"""The flags of `peerwatt-hub audit`, their environment twins, and the report that is printed."""

import argparse
import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from solders.pubkey import Pubkey

from hub.audit import command
from hub.audit.audit import (
    DEFAULT_SPAN_S,
    MAX_INTERVALS,
    Audit,
    AuditedInterval,
    RangeError,
    interval_starts,
)
from hub.audit.checks import CheckResult, Verdict
from hub.audit.reader import Site
from hub.errors import ConfigError
from support.programs.dishonest_hub import HubStatement, Stage

PERSON, WALLET = UUID(int=7), Pubkey(bytes([7]) * 32)
WORDS = {
    "url": ("http://node", "http://node"),
    "hub": ("http://hub", "http://hub"),
    "from": ("2026-06-01T10:00:00Z", 1_780_308_000),
    "to": ("2026-06-01T12:00:00+01:00", 1_780_311_600),
    "participant": (str(PERSON), PERSON),
    "wallet": (str(WALLET), bytes(WALLET)),
    "ask-limit": ("2300", 2_300),
    "bid-limit": ("4000", 4_000),
}
"""Flags with a value as it is written and as it is taken."""


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("PEERWATT_AUDIT_")]:
        monkeypatch.delenv(name)


def parse(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return parser.parse_args(words)


def taken(args: argparse.Namespace) -> dict[str, Any]:
    names = {"from": "from_s", "to": "to_s", "ask-limit": "ask_limit", "bid-limit": "bid_limit"}
    return {name: getattr(args, names.get(name, name)) for name in WORDS}


def test_each_flag_is_taken_from_the_command_line_or_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = {name: value for name, (_, value) in WORDS.items()}
    assert taken(parse(*(word for name, (text, _) in WORDS.items() for word in (f"--{name}", text)))) == expected
    for name, (text, _) in WORDS.items():
        monkeypatch.setenv(f"PEERWATT_AUDIT_{name.replace('-', '_').upper()}", text)
    assert taken(parse()) == expected
    assert parse("--hub", "http://other").hub == "http://other"


def test_only_the_node_must_be_named(capsys: pytest.CaptureFixture[str]) -> None:
    args = parse("--url", "http://node")
    assert taken(args) == dict.fromkeys(WORDS) | {"url": "http://node"}
    assert (args.journal, args.proof, args.json) == ([], [], False)
    with pytest.raises(SystemExit):
        parse()
    assert "--url" in capsys.readouterr().err


def test_files_may_be_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    args = parse("--url", "u", "--journal", "a", "--journal", "b", "--proof", "c", "--proof", "d")
    assert (args.journal, args.proof) == ([Path("a"), Path("b")], [Path("c"), Path("d")])
    monkeypatch.setenv("PEERWATT_AUDIT_PROOF", os.pathsep.join(("e", "", "f")))
    monkeypatch.setenv("PEERWATT_AUDIT_JOURNAL", "g")
    args = parse("--url", "u")
    assert (args.journal, args.proof) == ([Path("g")], [Path("e"), Path("f")])


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--from", "yesterday"), "write the time as RFC 3339"),
        (("--to", "2026-06-01T10:00:00"), "the time has no zone"),
        (("--wallet", "0"), "not an address"),
        (("--hub", "h", "--journal", "j"), "not allowed with"),
        (("--ask-limit", "2.2"), "invalid int"),
        (("--participant", "me"), "invalid UUID"),
    ],
)
def test_what_can_not_be_read_is_refused(words: tuple[str, ...], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse("--url", "u", *words)
    assert says in capsys.readouterr().err


def test_the_help_names_flags_environment_and_defaults(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse("--help")
    text = " ".join(capsys.readouterr().out.split())
    for said in (
        "--url URL", "--hub URL", "--journal FILE", "--from TIME", "--to TIME", "--participant ID", "--wallet PUBKEY",
        "--proof FILE", "--ask-limit MILLS", "--bid-limit MILLS",
        "an RPC node that you trust (env: PEERWATT_AUDIT_URL)", " first start, RFC 3339 (env:",
        "end, exclusive, RFC 3339 (env: PEERWATT_AUDIT_TO; default now)",
        "(env: PEERWATT_AUDIT_FROM; default a day before the end)",
        f"may be repeated (env: PEERWATT_AUDIT_PROOF, with {os.pathsep} between files)",
        "for a participant: what nobody else knows, for the checks named own_...",
    ):  # fmt: skip
        assert said in text


def test_each_flag_of_a_participant_asks_for_the_own_checks(stage: Stage, told: HubStatement, tmp_path: Path) -> None:
    assert command._evidence(parse("--url", "u", "--ask-limit", "1", "--bid-limit", "2")) is None
    proof = tmp_path / "proof"
    proof.write_text(json.dumps(stage.proofs("ben", told)[1]))
    for words in (("--participant", str(PERSON)), ("--wallet", str(WALLET)), ("--proof", str(proof))):
        assert command._evidence(parse("--url", "u", *words)) is not None
    whole = command._evidence(
        parse("--url", "u", "--participant", str(PERSON), "--wallet", str(WALLET), "--proof", str(proof),
              "--ask-limit", "2300", "--bid-limit", "4000")
    )  # fmt: skip
    assert whole is not None
    assert (whole.participant_id, whole.wallet) == (PERSON, bytes(WALLET))
    assert (whole.ask_limit_mills, whole.bid_limit_mills) == (2_300, 4_000)
    assert [one.name for one in whole.proofs] == ["proof"]


def test_kept_journals_are_known_by_their_start(told: HubStatement, tmp_path: Path) -> None:
    kept = tmp_path / "journal"
    kept.write_bytes(told.journal)
    assert command._read_journals([kept]) == {told.start_s: told.journal}
    with pytest.raises(ConfigError, match=r"can not be read \(No such file or directory\): name a journal"):
        command._read_journals([tmp_path / "none"])


# The range -----------------------------------------------------------------------------------------------------------


def test_whole_intervals_that_are_over_are_audited() -> None:
    site = Site(900, 1_000_000_000 // 900 * 900 + 899, SimpleNamespace(), ())
    last = 1_000_000_000 // 900 * 900 - 900
    assert interval_starts(site, last, None) == [last]
    assert interval_starts(site, last - 1, None) == [last]
    assert interval_starts(site, last - 900, last + 899) == [last - 900]
    assert interval_starts(site, last - 900, last + 900) == [last - 900, last]
    assert interval_starts(site, last, 2 * last) == [last], "what is not over is left out"
    assert interval_starts(site, None, last + 900) == list(range(last - DEFAULT_SPAN_S + 900, last + 1, 900))
    assert len(interval_starts(site, None, None)) == 95, "a day before now, and the current interval is not over"
    assert DEFAULT_SPAN_S == 86_400 and MAX_INTERVALS == 10_000
    most = last - (MAX_INTERVALS - 1) * 900
    assert len(interval_starts(site, most, None)) == MAX_INTERVALS
    for first in (most - 900, last + 1):
        with pytest.raises(RangeError, match="with 1 to 10000 of them") as refused:
            interval_starts(site, first, None)
    assert refused.value.code == "range_invalid"


# The report ----------------------------------------------------------------------------------------------------------


def result(verdict: Verdict, *details: str) -> CheckResult:
    return CheckResult("a_check", verdict, details, "what it means")


def test_the_report_has_a_line_for_each_check_and_a_summary() -> None:
    found = AuditedInterval(
        1_780_308_000, 1_780_308_900,
        (result(Verdict.OK), result(Verdict.FAILED, "one", "two"), result(Verdict.UNCHECKED, "why")),
    )  # fmt: skip
    quiet = AuditedInterval(1_780_308_900, 1_780_309_800, (result(Verdict.UNCHECKED, "too early"),) * 2)
    audit = Audit("http://node", ("trading is another build",), (found, quiet))
    assert command.report_lines(audit) == [
        "FAILED  programs: trading is another build",
        "2026-06-01T10:00:00Z to 2026-06-01T10:15:00Z",
        "  ok           a_check",
        "  FAILED       a_check: what it means",
        "                 one",
        "                 two",
        "  not checked  a_check: why",
        "2026-06-01T10:15:00Z to 2026-06-01T10:30:00Z: nothing to check: too early",
        "2 intervals at http://node, 1 ok, 1 FAILED, 3 not checked: 2 findings",
    ]
    clean = Audit("http://node", (), (replaced(found, result(Verdict.OK)),))
    assert command.report_lines(clean)[0] == "ok      programs are the published ones"
    assert command.report_lines(clean)[-1] == (
        "1 intervals at http://node, 1 ok, 0 FAILED, 0 not checked: nothing was found"
    )
    assert (audit.findings, clean.findings) == (2, 0)
    assert audit.to_json() == {
        "url": "http://node",
        "findings": 2,
        "programs": ["trading is another build"],
        "intervals": [found.to_json(), quiet.to_json()],
    }
    assert found.to_json() == {
        "start_at": "2026-06-01T10:00:00Z",
        "end_at": "2026-06-01T10:15:00Z",
        "checks": [
            {"check": "a_check", "verdict": verdict, "found": details, "meaning": "what it means"}
            for verdict, details in (("ok", []), ("FAILED", ["one", "two"]), ("not checked", ["why"]))
        ],
    }


def replaced(interval: AuditedInterval, *results: CheckResult) -> AuditedInterval:
    return AuditedInterval(interval.start_s, interval.end_s, results)
