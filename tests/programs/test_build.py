"""The build's own scripts: what a bare machine is told, and that two builds are compared with the committed files."""

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest

from support.programs.svm import ROOT

TOOLCHAIN = ROOT / "programs/toolchain"
FAKE_BUILD = """#!/bin/bash
set -e
echo "$1 in $CARGO_HOME" >>{log}
[ "$1" = programs ] || exit 0
deploy="$(dirname "$0")/../deploy"
cat "$(dirname "$0")/../source.rs" >"$deploy/oracle.so"
{also}
echo tool 2 >"$deploy/toolchain.txt"
"""


def tools_on(path: Path, **environment: str) -> str:
    """What `build tools` says where only these programs are, and nothing of Debian's Rust; it must not go on."""
    done = subprocess.run(
        [str(TOOLCHAIN / "build"), "tools"], capture_output=True, text=True, check=False, timeout=60,
        env={"PATH": str(path), "HOME": str(path), "SBF_RUSTC": str(path / "none"), **environment},
    )  # fmt: skip
    assert done.returncode == 1
    return done.stderr


def folder_with(folder: Path, *names: str) -> Path:
    """A folder for PATH: the system's `dirname`, and programs that answer 1000 to everything, `id -u` among it."""
    folder.mkdir()
    (folder / "dirname").symlink_to(shutil.which("dirname") or "/usr/bin/dirname")
    for name in names:
        (folder / name).write_text("#!/bin/sh\necho 1000\n")
        (folder / name).chmod(0o755)
    return folder


def test_a_bare_machine_is_told_every_package(tmp_path: Path) -> None:
    said = tools_on(folder_with(tmp_path / "bin", "apt-get", "id"))
    assert "run as root once, or install: build-essential python3 cargo-web rustc-web rust-web-src llvm-22 " in said


def test_only_what_is_missing_is_named(tmp_path: Path) -> None:
    said = tools_on(folder_with(tmp_path / "bin", "apt-get", "id", "cargo", "python3", "cc"))
    assert "or install: rustc-web rust-web-src llvm-22 llvm-22-dev libpolly-22-dev libzstd-dev zlib1g-dev\n" in said


def test_another_system_is_told_what_it_needs(tmp_path: Path) -> None:
    said = tools_on(folder_with(tmp_path / "bin", "id", "cargo", "python3", "cc"))
    assert "this is no Debian: install what these Debian packages have, or build there: rustc-web" in said


def repository(folder: Path, also: str = "") -> Path:
    """A repository with a program whose build is a copy of its source."""
    programs = folder / "repository/programs"
    shutil.copytree(TOOLCHAIN, programs / "toolchain", ignore=shutil.ignore_patterns("arith", "relay", "__pycache__"))
    (programs / "toolchain/build").write_text(FAKE_BUILD.format(log=folder / "log", also=also))
    (programs / "source.rs").write_text("source")
    (programs / "deploy").mkdir()
    (programs / "deploy/oracle.so").write_text("source")
    (programs / "deploy/toolchain.txt").write_text("tool 1\n")
    git = ("git", "-c", "user.name=t", "-c", "user.email=t@example.org")
    for words in (("init", "-q"), ("add", "-A"), ("commit", "-qm", "all")):
        subprocess.run([*git, *words], cwd=folder / "repository", check=True)
    return folder / "repository"


def reproduce(repository: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["programs/toolchain/reproduce"], cwd=repository, capture_output=True, text=True, check=False, timeout=60
    )


def test_three_times_the_same_bytes(tmp_path: Path) -> None:
    done = reproduce(repository(tmp_path))
    digest = hashlib.sha256(b"source").hexdigest()
    assert done.returncode == 0, done.stderr
    assert done.stdout == (
        f"oracle.so: same\n  first build   {digest}\n  second build  {digest}\n  committed     {digest}\n"
    )
    first, second = [line for line in (tmp_path / "log").read_text().splitlines() if line.startswith("programs")]
    assert first != second, "each build has a cargo home of its own"


@pytest.mark.parametrize(
    "also",
    [
        pytest.param('pwd >>"$deploy/oracle.so"; echo "$CARGO_HOME" >>"$deploy/oracle.so"', id="a path gets in"),
        pytest.param('echo >>"$deploy/oracle.so"', id="other tools"),
        pytest.param('rm "$deploy/oracle.so"', id="nothing built"),
    ],
)
def test_other_bytes_fail_with_the_tools_that_differ(tmp_path: Path, also: str) -> None:
    done = reproduce(repository(tmp_path, also))
    assert done.returncode == 1
    assert "oracle.so: DIFFERS" in done.stdout
    assert "a build does not give the committed bytes" in done.stderr
    assert "< tool 1\n---\n> tool 2" in done.stderr
