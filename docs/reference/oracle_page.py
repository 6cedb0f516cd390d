"""The page on the oracle: its rules from the code, and how it is judged from the scores of labelled meter-days."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hub.metering.rules import RULES, Effect
from hub.metering.rules.feeder import ZONE_RULES
from hub.metering.rules.rule import Rule, ZoneRule

SCORES = Path(__file__).with_name("oracle_scores.json")
"""Written by ``PYTHONPATH=tests python -m support.meter_scores docs/reference/oracle_scores.json``."""
HEAD = """<!-- Made by `make docs` from hub/metering/rules/ and docs/reference/oracle_scores.json. -->

# The oracle: from registers to energy

No Wh is billed, traded, minted or certified that nobody measured, and every Wh that was measured is billed in the end.

A meter's interval goes through five pure steps, each in files of `hub/metering/`:

1. `doubts.py` takes out readings that do not count: a signed event or their state says so, the hub saw it when they
   came, or their time contradicts the order in which they were taken.
2. `runs.py` and `ways.py` sort the others into runs of the counter, and leave out what contradicts a run.
3. `breaks.py` says what flowed between two runs: across a rollover, reset, swap or step back that was seen happen;
   otherwise nobody knows.
4. `curve.py` lays the runs end to end. The energy of an interval is the difference at its ends, so that intervals sum
   up to the registers. `sharing.py` shares a long gap out by the power that was read in it; export without power
   by the sun's course, import evenly.
5. `intervals.py` asks every rule of `hub/metering/rules/`, and estimates what was not measured: import like that of
   earlier days, export zero.

## What people decide

What somebody decides is a row of its own (`POST /operator/meters/{id}/decisions`), with who, when and why. The newest
row about an interval stands, and the next revision follows by itself, up to 40 days after the interval.

- *Accept* says that the readings are good after all: those that the gateway doubted, or the hub for its time when they
  came, count. Registers above 1 TWh, times that cannot be, more than the rated power gives and what nobody measured
  stay what they are. `POST /operator/gateways/{id}/accept` does it for all meters of a gateway.
- *Replace* enters the energy of a span, shared out evenly, at most the rated power with 20 % overload. It is
  `estimated`: the utility's, never traded, minted or certified.
- *Withdraw* takes either back. Registers before and after a change that nobody saw are entered by
  `POST /operator/meters/{id}/registers`.

## Rules

The effect says what happens to energy that a rule flags: *remark* changes nothing; *estimated* energy is not traded,
minted or certified; *no credit* is estimated, and its export counts as zero until somebody has decided. What has an
*A* an operator can accept: then it is only remarked.

"""
JUDGED = """
## How it is judged

Faults are put into honest days of a load, a solar generator and both together, and the truth is kept. *Flagged* says
for how many meter-days the rule flagged an interval that the fault touches; in the first row, how many honest intervals
were flagged by any rule but `gap` and `boundary_interpolated`. *At first* is what is attested when only the readings up
to a minute after an interval have come; then export that nobody has measured yet is estimated as zero. *At last* is
after every reading has come; energy that was shared out over a gap is compared over the whole gap.

"""
EFFECTS: Mapping[Effect, str] = {Effect.NOTE: "remark", Effect.DOUBT: "estimated", Effect.WITHHOLD: "no credit"}


def oracle_page() -> str:
    """Makes the page."""
    return HEAD + rule_table() + JUDGED + score_table(json.loads(SCORES.read_text())["all"])


def rule_table() -> str:
    """Returns every rule with its effect, in Markdown."""
    rows = [(rule.id, _effect(rule), rule.says, rule.mend) for rule in (*RULES, *ZONE_RULES)]
    lines = ["| rule | effect | what it says | what to do |", "|---|---|---|---|"]
    lines += [f"| `{id_}` | {effect} | {says} | {mend} |" for id_, effect, says, mend in rows]
    return "\n".join(lines) + "\n"


def _effect(rule: Rule | ZoneRule) -> str:
    return EFFECTS[rule.effect] + (", *A*" if isinstance(rule, Rule) and rule.acceptable else "")


def score_table(scores: Sequence[Mapping[str, Any]]) -> str:
    """Returns the scores of ``support.meter_scores`` in Markdown; the first is that of honest days."""
    honest, *faults = scores
    of_all = sum(score["intervals"] for score in scores), sum(score["falsely_flagged"] for score in scores)
    lines = [
        "| what goes wrong | rule | meter-days | flagged | Wh wrong at first | Wh wrong at last |",
        "|---|---|---|---|---|---|",
    ]
    seen = f"{of_all[1]} of {of_all[0]:,} intervals"
    lines.append(
        f"| nothing | none | {honest['days']} | {seen} | {honest['wrong_first_wh']:,} | {honest['wrong_last_wh']:,} |"
    )
    for score in faults:
        last = f"{score['wrong_last_wh']:,}" + ("" if score["knowable"] else ", which nobody can know")
        lines.append(
            f"| {score['name']} | `{score['rule']}` | {score['days']} | {score['flagged']} of {score['days']} | "
            f"{score['wrong_first_wh']:,} | {last} |"
        )
    return "\n".join(lines) + "\n"
