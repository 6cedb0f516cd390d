"""`python -m support.mutation ROOM`: changes a room's code at random, and says which changes no test notices."""

import argparse
import os
import sys
import tempfile
import time
import tomllib
from collections.abc import Container, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from queue import SimpleQueue

from support.mutation.mutants import Mutant, mutants_of
from support.mutation.results import ResultStore
from support.mutation.rooms import ROOMS, Room
from support.mutation.runs import ROOT, TestMap, Tree, Verdict, fingerprint, judge, map_tests
from support.servers.postgres import shared_server

KEPT = ROOT / ".mutation"
EQUIVALENTS = Path(__file__).with_name("equivalents.toml")
GOAL = 0.9


def sample(
    room: Room, count: int, seed: int, equivalents: Container[tuple[str, str, str]]
) -> tuple[list[Mutant], list[Mutant]]:
    """Returns ``count`` changes, or all when there are fewer, and the equivalents that were drawn with them.

    Lines are drawn first and one of a line's changes then, so that a long expression does not count for more. The draw
    depends on a line's words alone: what is written elsewhere leaves it as it was.
    """
    by_line: dict[str, list[Mutant]] = {}
    for path in room.files(ROOT):
        for mutant in mutants_of(ROOT, path):
            by_line.setdefault(f"{path}:{mutant.line}", []).append(mutant)
    draws: dict[str, list[Mutant]] = {}
    for mutants in by_line.values():
        words, number = mutants[0].line_text, 0
        while (draw := _draw(seed, mutants[0].path, words, number)) in draws:
            number += 1
        draws[draw] = mutants
    drawn, same = [], []
    for draw in sorted(draws):
        mutant = draws[draw][int(draw, 16) % len(draws[draw])]
        if (mutant.path, mutant.before, mutant.after) in equivalents:
            same.append(mutant)
        else:
            drawn.append(mutant)
        if len(drawn) == count:
            break
    return drawn, same


def _draw(seed: int, path: str, words: str, number: int) -> str:
    return sha256(f"{seed} {path} {number} {words}".encode()).hexdigest()


def read_equivalents() -> dict[tuple[str, str, str], str]:
    """Returns the changes that change nothing that anybody could see, with the reason for each."""
    entries = tomllib.loads(EQUIVALENTS.read_text()).get("equivalent", [])
    return {(entry["path"], entry["before"], entry["after"]): entry["why"] for entry in entries}


def judged(
    mutants: Sequence[Mutant], trees: Sequence[Tree], tests: TestMap, store: ResultStore
) -> Iterator[tuple[Mutant, Verdict]]:
    """Judges the changes, as many at once as there are trees; a test that noticed one before goes first."""
    free: SimpleQueue[Tree] = SimpleQueue()
    for tree in trees:
        free.put(tree)

    def one(mutant: Mutant) -> tuple[Mutant, Verdict]:
        tree = free.get()
        try:
            return mutant, judge(mutant, tree, tests, store.noticed_before(mutant))
        finally:
            free.put(tree)

    with ThreadPoolExecutor(len(trees)) as pool:
        yield from pool.map(one, mutants)


def run(name: str, room: Room, args: argparse.Namespace) -> int:
    """Runs one room, prints every change that no test noticed, and returns the exit code."""
    begun = time.monotonic()
    equivalents = read_equivalents()
    mutants, same = sample(room, args.count, args.seed, equivalents)
    store = ResultStore(KEPT / f"{name}.json", fingerprint(room))
    done = {mutant.name: verdict for mutant in mutants if (verdict := store.verdict(mutant)) is not None}
    todo = [mutant for mutant in mutants if mutant.name not in done]
    print(f"{name}: {len(done)} of {len(mutants)} are known from earlier runs", flush=True)
    if todo:
        with tempfile.TemporaryDirectory(prefix="peerwatt-mutation-") as folder, shared_server(Path(folder) / "pg"):
            trees = [Tree(Path(folder) / str(number)) for number in range(args.jobs)]
            tests = map_tests(room, trees[0], Path(folder) / "coverage", args.jobs)
            print(f"{name}: {len(tests.seconds)} tests pass unchanged, {time.monotonic() - begun:.0f} s", flush=True)
            for mutant, verdict in judged(todo, trees, tests, store):
                done[mutant.name] = verdict
                store.keep(mutant, verdict)
                print(line(mutant, verdict), flush=True)
    survivors = [mutant for mutant in mutants if not done[mutant.name].by]
    print(f"\n{name}, seed {args.seed}: equivalents drawn: {len(same)}")
    for mutant in same:
        print(f"  {mutant.path}:{mutant.line} {mutant.before!r} -> {mutant.after!r}: "
              f"{equivalents[mutant.path, mutant.before, mutant.after]}")  # fmt: skip
    for mutant in survivors:
        print(line(mutant, done[mutant.name]))
    share = 1 - len(survivors) / max(len(mutants), 1)
    print(f"{name}, seed {args.seed}: {len(mutants) - len(survivors)} of {len(mutants)} noticed ({share:.0%}), "
          f"{time.monotonic() - begun:.0f} s")  # fmt: skip
    return 0 if share >= GOAL else 1


def line(mutant: Mutant, verdict: Verdict) -> str:
    """Returns one line about one change."""
    head = "noticed " if verdict.by else "SURVIVED"
    tail = f" by {verdict.by}" if verdict.by else f" ({verdict.tests_run} tests ran)"
    return f"{head} {mutant.path}:{mutant.line} {mutant.before!r} -> {mutant.after!r}{tail}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("room", choices=sorted(ROOMS))
    parser.add_argument("--count", type=int, default=100, help="how many changes (100)")
    parser.add_argument(
        "--seed", type=int, default=1, help="the same seed draws the same changes from the same code (1)"
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="changes that are tried at once")
    args = parser.parse_args()
    return run(args.room, ROOMS[args.room], args)


if __name__ == "__main__":
    sys.exit(main())
