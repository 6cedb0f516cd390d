"""Makes the tables of docs/audit.md, from the checks and the dishonest acts that the tests play.

`PYTHONPATH=.:tests python -m support.programs.audit_page --write` rewrites the page.
"""

import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from hub.audit.chain_checks import CHAIN_CHECKS
from hub.audit.checks import Check
from hub.audit.journal_checks import JOURNAL_CHECKS
from hub.audit.own_checks import ParticipantEvidence, own_checks
from support.programs.dishonest_acts import ACCOUNT_EXISTS, DISHONEST_ACTS, DishonestAct

PAGE = Path(__file__).resolve().parents[3] / "docs" / "audit.md"


def render(page: str) -> str:
    """The page with its tables as they have to be."""
    for name, lines in (("checks", _checks()), ("acts", _acts())):
        table = "\n".join(lines)
        page = re.sub(rf"<!-- {name} -->\n.*?<!-- /{name} -->", f"<!-- {name} -->\n{table}\n<!-- /{name} -->", page,
                      flags=re.DOTALL)  # fmt: skip
    return page


def _checks() -> Iterable[str]:
    yield "| check | looks at | what it means when it fails |"
    yield "|---|---|---|"
    parts: tuple[tuple[str, tuple[Check, ...]], ...] = (
        ("the chain", CHAIN_CHECKS),
        ("chain and journal", JOURNAL_CHECKS),
        ("one's own besides", own_checks(ParticipantEvidence())),
    )
    for source, checks in parts:
        for check in checks:
            yield f"| `{check.name}` | {source} | {check.meaning} |"


def _acts() -> Iterable[str]:
    yield "| act | in the end | refused by a program | found by anybody | found by the participant |"
    yield "|---|---|---|---|---|"
    for act in DISHONEST_ACTS:
        cells = (act.title, _money(act.gains), _refusal(act), _named(act.outsider), _own(act))
        yield f"| {' | '.join(cells)} |"


def _money(gains: Mapping[str, int]) -> str:
    told = (f"{name.title()} {micros / 10**6:+.6f}" for name, micros in gains.items())
    return ", ".join(told) or "nobody gets anything"


def _refusal(act: DishonestAct) -> str:
    if act.refused == ACCOUNT_EXISTS:
        return "the account exists"
    return f"`{act.refused}`" if act.refused else ""


def _own(act: DishonestAct) -> str:
    return "; ".join(f"{name.title()}: {_named(checks)}" for name, checks in act.participants.items() if checks)


def _named(checks: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(checks))


if __name__ == "__main__":
    if "--write" in sys.argv:
        PAGE.write_text(render(PAGE.read_text()))
    else:
        print(render(PAGE.read_text()))
