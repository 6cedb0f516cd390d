"""Measures what a browser loads for each page of the web app, as every build prints it; rebuilds hub/static."""

import re
import subprocess
import sys
import time

from bench.common import ROOT, script
from bench.common.figures import Figure

FLOOR = re.compile(r"floor: React ([\d.]+) KB, with router and queries ([\d.]+) KB")
PAGE = re.compile(r"(\w+)Page: ([\d.]+) KB of JavaScript, at most [\d.]+ KB; ([\d.]+) KB of CSS")


def measure() -> list[Figure]:
    """Builds once: a build gives the same bytes every time.

    Raises:
        SystemExit: the build failed, or no longer prints what each page loads.
    """
    started = time.monotonic()
    done = subprocess.run([sys.executable, "hub/web/build.py"], cwd=ROOT, capture_output=True, text=True, check=False)
    seconds, said = time.monotonic() - started, done.stdout + done.stderr
    floor, pages = FLOOR.search(said), PAGE.findall(said)
    if done.returncode or floor is None or not pages:
        raise SystemExit(f"the build does not say what its pages load:\n{said[-2000:]}")
    named = {"floor_react": ("React alone", floor[1]), "floor_app": ("React with router and queries", floor[2])}
    for page, of_script, of_style in pages:
        name = "page" + re.sub(r"([A-Z])", r"_\1", page).lower()
        named[name] = (f"the {page} page: JavaScript, gzip", of_script)
        named[f"{name}_style"] = (f"the {page} page: CSS, gzip", of_style)
    return [Figure(name, "KB", (float(size),), 1, seconds, what) for name, (what, size) in named.items()]


def main() -> None:
    args = script.parse(script.make_parser(str(__doc__)))
    script.report("page_sizes", args, measure)


if __name__ == "__main__":
    main()
