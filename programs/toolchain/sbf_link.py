#!/usr/bin/env python3
"""The linker that rustc calls for the SBF target: rewrites the program's bitcode, then hands it to sbpf-linker.

Takes one LLVM bitcode file (fat LTO) from rustc; ir_rewrite.py makes of it what stock LLVM compiles, and sbpf-linker
writes the .so. What the backend cannot compile and nothing rewrites (more than five arguments through a pointer, a
stack frame over 4,096 bytes, a variable, floating point beyond sbf-float.rs) fails the link.

Environment: LLVM_BIN (default /usr/lib/llvm-22/bin), SBPF_LINKER (default sbpf-linker on PATH), SBF_LINK_KEEP=DIR keeps
the intermediate files there.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from ir_rewrite import rewrite

HERE = Path(__file__).resolve().parent
LLVM_BIN = Path(os.environ.get("LLVM_BIN", "/usr/lib/llvm-22/bin"))
SBPF_LINKER = os.environ.get("SBPF_LINKER", "sbpf-linker")
RUNTIME = HERE / "sbf-rt.ll"
FLOAT_CALL = re.compile(r"call [^\n]*@__sbf_(?:fmul|uitofp|fptoui)\(")
RUNTIME_HEAD = "\n; Arithmetic that"
TAKE_VALUE = ("-o", "-L", "--export-symbols", "--cpu", "--target")
SHOWN_PROBLEMS = 20


def run(*args: object) -> None:
    """Runs a tool without cargo's job server in its environment.

    Raises:
        subprocess.CalledProcessError: the tool failed.
        FileNotFoundError: there is no such tool.
    """
    env = {name: value for name, value in os.environ.items() if name not in ("CARGO_MAKEFLAGS", "MAKEFLAGS")}
    subprocess.run([str(arg) for arg in args], check=True, env=env)


def split_inputs(argv: list[str]) -> tuple[list[str], list[str]]:
    """Splits the arguments into those without the input files, and the input files."""
    args: list[str] = []
    inputs: list[str] = []
    takes_value = False
    for arg in argv:
        is_input = not takes_value and arg.endswith((".o", ".bc"))
        (inputs if is_input else args).append(arg)
        takes_value = arg in TAKE_VALUE and not is_input
    return args, inputs


def float_runtime(work: Path, program: Path) -> Path:
    """Compiles sbf-float.rs to bitcode for the program's target, from the host's IR without the host's attributes.

    Raises:
        subprocess.CalledProcessError: rustc or llvm-as failed.
    """
    host, bpf, bitcode = work / "float-host.ll", work / "float.ll", work / "float.bc"
    flags = ["-Cpanic=abort", "-Copt-level=1", "-Coverflow-checks=off", "-Cdebuginfo=0", "--emit=llvm-ir"]
    run(os.environ.get("RUSTC", "rustc"), "--edition=2021", *flags, HERE / "sbf-float.rs", "-o", host)
    target = re.findall(r"^target .*$", program.read_text(), re.MULTILINE)
    text = re.sub(r"^(?:target|attributes|source_filename|;|!).*\n", "", host.read_text(), flags=re.MULTILINE)
    bpf.write_text("\n".join([*target, re.sub(r" #\d+|, ![\w.]+ !\d+", "", text)]))
    run(LLVM_BIN / "llvm-as", bpf, "-o", bitcode)
    return bitcode


def link(args: list[str], bitcode: str, work: Path) -> int:
    """Rewrites the bitcode in the folder `work` and links it; returns the linker's exit code, or 1 for floating point.

    Raises:
        subprocess.CalledProcessError: llvm-dis, llvm-as or rustc failed.
        ValueError: the bitcode's text cannot be rewritten.
    """
    before, after, rewritten_bitcode = work / "before.ll", work / "after.ll", work / "after.bc"
    run(LLVM_BIN / "llvm-dis", bitcode, "-o", before)
    rewritten = rewrite(before.read_text(), RUNTIME.read_text())
    if rewritten.problems:
        shown = rewritten.problems[:SHOWN_PROBLEMS]
        hint = "SBF has no floating point; texts of serde and bincode errors are the usual source:"
        print(f"sbf_link: {hint}", *shown, sep="\n  ", file=sys.stderr)
        return 1
    after.write_text(rewritten.text)
    run(LLVM_BIN / "llvm-as", after, "-o", rewritten_bitcode)
    linked = [rewritten_bitcode]
    if FLOAT_CALL.search(rewritten.text.split(RUNTIME_HEAD, 1)[0]):
        linked.append(float_runtime(work, before))
    return subprocess.run([SBPF_LINKER, *args, *map(str, linked)], check=False).returncode


def main(argv: list[str]) -> int:
    """Links what rustc names in argv; returns the exit code.

    Raises:
        ValueError: argv has no `--export-symbols`, or the bitcode's text cannot be rewritten.
        subprocess.CalledProcessError: llvm-dis, llvm-as or rustc failed.
    """
    args, inputs = split_inputs(argv)
    exports = Path(args[args.index("--export-symbols") + 1]).read_text().split()
    if "entrypoint" not in exports:
        # a dependency that also wants to be a shared library (solana-zk-sdk): not a program
        Path(args[args.index("-o") + 1]).touch()
        return 0
    if len(inputs) != 1:
        print(f'sbf_link: one bitcode file expected, got {inputs}: is lto = "fat" set?', file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(os.environ.get("SBF_LINK_KEEP") or scratch)
        work.mkdir(parents=True, exist_ok=True)
        return link(args, inputs[0], work)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
