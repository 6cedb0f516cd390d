"""The matrix as a page: every attack on every instruction, what it led to, and why some may go through."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from support.programs.attacks.cells import CALL, Place
from support.programs.attacks.declared import outcomes
from support.programs.attacks.play import OK, play
from support.programs.attacks.scene import Scene, all_scenes
from support.programs.attacks.shapes import own_errors, shapes
from support.programs.svm import NAMES, ROOT

PAGE = ROOT / "docs/attacks.md"
COLUMNS = {
    "stranger": "somebody signs whom nobody knows",
    "another's": "another participant signs, or an account of another participant's stands there",
    "unsigned": "the right account, without its signature",
    "another": "another account of the same type: another interval's, another decision, another program",
    "correction": "the interval's second revision",
    "twin": "the account of the same type that has another place in the same call",
    "other type": "an account of another type that belongs to the same program",
    "fake": "the same bytes in an account that belongs to another program",
    "free": "an address without an account",
    "prefunded": "somebody has sent lamports to the address before the account is created",
    "left out": "an optional account is not given",
    "0, 1, max, min": "the number at its limits; 255 for a choice among variants",
    "zero": "the key of zeros",
    "empty, long": "a text, a path or a list without anything in it; a text of 65 letters",
    "replay": "the same call, sent a second time",
    "stale": "400 days later",
    "future": "the second before the interval begins",
    "paused": "governance has paused the market",
}
"""What an attack is, by the column that it stands in; other columns say it themselves."""
_HEAD = """# Attacks on the programs

Every instruction is called with a stranger's signature and without a signature, with each account swapped for others, a
second time, too late, too early, during the pause, and with each argument at its limits. This page shows the outcomes.
`programs/toolchain/attacks.py` writes it from a run in the Solana virtual machine, and `tests/programs/test_attacks.py`
checks it.

The instructions and their accounts come from the IDLs. Each instruction has a scene in which its call succeeds
(`tests/support/programs/attacks/*_scenes.py`), and each attack changes one thing in that call. What it must lead to is
declared in `tests/programs/attacks/`: a refusal by the name that the program, Anchor, the token program or the runtime
gives it, or **ok** with the reason why it may go through. After each **ok** the invariants were checked
(`tests/support/programs/invariants.py`): balances and escrows = pool, vaults = charges, minted - burned = held, every
interval attested, minted and settled once, certificates within what was attested.
"""


def page() -> str:
    """All of it, as Markdown."""
    parts = [_HEAD, *_legend(), *_summary(), *chain.from_iterable(map(_program, NAMES))]
    return "\n".join(parts)


def _legend() -> list[str]:
    rows = [f"| {name} | {meaning} |" for name, meaning in COLUMNS.items()]
    return ["| attack | what happens |", "|---|---|", *rows, ""]


def _summary() -> list[str]:
    rows = [
        "| program | instructions | scenes | attacks | its own refusals | Anchor's, the runtime's | ok |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    total: Counter[str] = Counter()
    for program in NAMES:
        counted = _counted(program)
        total += counted
        rows.append(f"| {program} | {' | '.join(f'{counted[name]:,}' for name in _COUNTED)} |")
    return [*rows, f"| all | {' | '.join(f'{total[name]:,}' for name in _COUNTED)} |", ""]


_COUNTED = ("instructions", "scenes", "attacks", "own", "foreign", OK)


def _counted(program: str) -> Counter[str]:
    scenes = _scenes(program)
    counted = Counter({"scenes": len(scenes), "instructions": len({scene.instruction for scene in scenes})})
    for scene in scenes:
        for outcome in play(scene).values():
            counted["attacks"] += 1
            counted[OK if outcome == OK else "own" if outcome in own_errors() else "foreign"] += 1
    return counted


def _scenes(program: str) -> list[Scene]:
    order = list(shapes())
    found = [scene for scene in all_scenes() if scene.program == program]
    return sorted(found, key=lambda scene: order.index(scene.shape))


def _program(program: str) -> Iterator[str]:
    yield f"## {program}\n"
    for scene in _scenes(program):
        played = play(scene)
        yield f"### {program}.{scene.name}\n\n{' '.join(scene.story.split())}\n"
        for part in ("accounts", "arguments"):
            cells = {place: outcome for place, outcome in played.items() if place.part == part}
            if cells:
                yield from _table(part.removesuffix("s"), cells)
        yield from _table(CALL, {place: outcome for place, outcome in played.items() if place.part == CALL})
        yield from _reasons(scene, played)


def _table(title: str, cells: Mapping[Place, str]) -> Iterator[str]:
    known = list(chain.from_iterable(name.split(", ") for name in COLUMNS))
    used = {place.column for place in cells}
    columns = [name for name in ("min", *known) if name in used]
    columns = list(dict.fromkeys([*columns, *sorted(used - set(known))]))
    yield f"| {title} | {' | '.join(columns)} |"
    yield "|---" * (len(columns) + 1) + "|"
    rows: dict[str, dict[str, str]] = {}
    for place, outcome in cells.items():
        rows.setdefault(place.row, {})[place.column] = outcome
    for row, outcomes_ in rows.items():
        yield _row("" if title == CALL else row, [outcomes_.get(column, "") for column in columns])
    yield ""


def _row(name: str, found: Sequence[str]) -> str:
    return f"| {name} | {' | '.join('**ok**' if outcome == OK else outcome for outcome in found)} |"


def _reasons(scene: Scene, played: Mapping[Place, str]) -> Iterator[str]:
    declared = outcomes(scene)
    grouped: dict[str, dict[str, list[str]]] = {}
    for place, outcome in played.items():
        if outcome == OK:
            grouped.setdefault(declared[place].reason, {}).setdefault(place.row, []).append(place.column)
    for reason, rows in grouped.items():
        names = (_named(row, ", ".join(columns)) for row, columns in rows.items())
        yield f"- {', '.join(names)}: {reason}"
    if grouped:
        yield ""


def _named(row: str, columns: str) -> str:
    return columns if row == CALL else f"{row} ({columns})"
