"""Rewrites a program's LLVM IR so that stock LLVM 22's BPF backend compiles it, as text.

Takes the disassembled bitcode of the whole program (fat LTO) and the runtime sbf-rt.ll, and returns the text that
sbf_link.py assembles and links. What is rewritten, and why:

- functions that need more than five argument registers (BPF has r1..r5) are always inlined;
- multiplications with an overflow check, 128-bit multiplications, divisions, remainders and variable shifts (the
  backend would call compiler-rt, then refuses the calls) and signed divisions (BPF has unsigned ones only) call
  sbf-rt.ll;
- memcpy, memmove, memset, memcmp and bcmp are sbf-rt.ll's too, which calls the runtime's syscalls;
- the seed of std's HashMap, a variable, becomes the constant 0: programs have no variables.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

ARG_REGISTERS = 5
MEMORY = frozenset({"memcpy", "memmove", "memset", "memcmp", "bcmp"})
NOT_INLINED = frozenset({"noinline", "cold", "optsize", "minsize"})

SEED = r"@[-\w.$]*RandomState3new4KEYS[-\w.$]*"
SEED_GLOBAL = re.compile(rf"^({SEED} = internal (?:\w+ )*)global (i\d+) [^,]+(,.*)?$")
SEED_STORE = re.compile(rf"^\s+store [^,]+, ptr {SEED},")
SRET = re.compile(r" sret\((?:[^()]|\([^()]*\))*\)")
DEFINE = re.compile(r"^define (?P<head>.*?)@(?P<name>\"[^\"]+\"|[-\w.$]+)\(")
DECLARE = re.compile(r"^declare [^\n]*?@([-\w.$]+)\(")
DEFINED = re.compile(r"^define [^\n]*?@([-\w.$]+)\(", re.MULTILINE)
CALLEE = re.compile(r"\bcall\b[^@]*?@(\"[^\"]+\"|[-\w.$]+)\(")
GROUP = re.compile(r"^attributes #(\d+) = \{(.*)\}\s*$")
GROUP_USE = re.compile(r"#(\d+)")
WIDE_RESULT = re.compile(r"[{\[]|\bi128\b")
RESULT_NOTES = re.compile(r"range\([^)]*\)|dereferenceable\w*\([^)]*\)")
BINARY = re.compile(
    r"^(?P<dst>\s*%[-\w.$]+ = )(?P<op>mul|udiv|sdiv|urem|srem|shl|lshr|ashr)"
    r"(?: nuw| nsw| exact)* (?P<ty>i8|i16|i32|i64|i128) (?P<a>[^,]+), (?P<b>[^,\s]+)(?P<rest>.*)$"
)
OVERFLOW = re.compile(r"@llvm\.([us])mul\.with\.overflow\.(i64|i128)\(")
TO_INTEGER = "@llvm.fptoui.sat.i64.f64("
FLOAT = [
    (re.compile(r"= uitofp (?:nneg )?i64 ([^,\s]+) to double"), r"= call double @__sbf_uitofp(i64 \1)"),
    (
        re.compile(r"= fmul (?:[a-z]+ )*double ([^,]+), ([^,\s]+)"),
        r"= call double @__sbf_fmul(double \1, double \2)",
    ),
    (re.compile(re.escape(TO_INTEGER)), "@__sbf_fptoui("),
]
FORBIDDEN = re.compile(r"= (?:f(?:add|sub|mul|div|rem|cmp|pto[us]i)|[us]itofp)\b")


@dataclass(frozen=True)
class Rewritten:
    """The new text, and its lines of floating point, which SBF cannot run, each with the function that has it."""

    text: str
    problems: list[str]


def rewrite(text: str, runtime: str) -> Rewritten:
    """Rewrites the program and appends the runtime, less what the program defines itself.

    Args:
        text: the program's LLVM IR.
        runtime: sbf-rt.ll.

    Raises:
        ValueError: parentheses in the IR do not match.
    """
    lines = SRET.sub("", text).split("\n")
    body = _Body(wide=_wide_functions(lines), groups=_AttributeGroups(lines))
    out = [new for line in lines if (new := body.rewrite_line(line)) is not None]
    return Rewritten("\n".join(_with_runtime(out, runtime) + body.groups.added), body.problems)


def _wide_functions(lines: list[str]) -> frozenset[str]:
    wide = set()
    for line in lines:
        if m := DEFINE.match(line):
            start = m.end() - 1
            args = _split_args(line[start + 1 : _closing(line, start)])
            if _registers(m["head"], args) > ARG_REGISTERS:
                wide.add(m["name"])
    return frozenset(wide)


def _closing(text: str, start: int) -> int:
    """The index of the parenthesis that closes the one at start."""
    depth, quoted = 0, False
    for i in range(start, len(text)):
        c = text[i]
        if c == '"':
            quoted = not quoted
        elif not quoted:
            depth += (c in "([{<") - (c in ")]}>")
            if depth == 0:
                return i
    raise ValueError(f"unbalanced parentheses in LLVM IR: {text[:200]}")


def _split_args(text: str) -> list[str]:
    parts, depth, last = [], 0, 0
    for i, c in enumerate(text):
        depth += (c in "([{<") - (c in ")]}>")
        if c == "," and depth == 0:
            parts.append(text[last:i])
            last = i + 1
    parts.append(text[last:])
    return [part.strip() for part in parts if part.strip()]


def _registers(head: str, args: list[str]) -> int:
    """Argument registers of a function; a result that does not fit r0 comes back through a hidden pointer."""
    hidden = 1 if WIDE_RESULT.search(RESULT_NOTES.sub("", head)) else 0
    return hidden + sum(2 if arg.startswith("i128") else 1 for arg in args)


@dataclass
class _AttributeGroups:
    """Attribute groups of the program, and copies of them that allow or force inlining."""

    known: dict[str, str]
    added: list[str] = field(default_factory=list)
    copies: dict[tuple[str, bool], str] = field(default_factory=dict)

    def __init__(self, lines: list[str]) -> None:
        self.known = {m[1]: m[2] for line in lines if (m := GROUP.match(line))}
        self.added, self.copies = [], {}

    def copy(self, number: str, *, inline: bool) -> str:
        """The group without noinline and the like, as `#n`."""
        if (number, inline) not in self.copies:
            fresh = max(map(int, self.known), default=-1) + 1 + len(self.copies)
            words = [word for word in self.known[number].split() if word not in NOT_INLINED]
            words += ["alwaysinline"] if inline else []
            self.added.append(f"attributes #{fresh} = {{ {' '.join(words)} }}")
            self.copies[number, inline] = f"#{fresh}"
        return self.copies[number, inline]

    def replace(self, line: str, start: int, *, inline: bool) -> str:
        """The line with the group that follows `start` replaced by its copy."""
        if m := GROUP_USE.search(line, start):
            return line[: m.start()] + self.copy(m[1], inline=inline) + line[m.end() :]
        return f"{line[:start]} alwaysinline{line[start:]}" if inline else line


@dataclass
class _Body:
    wide: frozenset[str]
    groups: _AttributeGroups
    problems: list[str] = field(default_factory=list)
    function: str = ""

    def rewrite_line(self, line: str) -> str | None:
        """Rewrites one line for the backend; None drops it."""
        if m := SEED_GLOBAL.match(line):
            value = {"i1": "true", "i8": "1"}.get(m[2], "0")
            return f"{m[1]}constant {m[2]} {value}{m[3] or ''}"
        if SEED_STORE.match(line):
            return None
        if m := DEFINE.match(line):
            self.function = m["name"]
            return self._inlined(line, m) if m["name"] in self.wide else line
        if line.startswith("declare"):
            return None if OVERFLOW.search(line) or TO_INTEGER in line else line
        return self._instruction(line) if line.startswith((" ", "\t")) else line

    def _inlined(self, line: str, found: re.Match[str]) -> str:
        return self.groups.replace(line, _closing(line, found.end() - 1) + 1, inline=True)

    def _instruction(self, line: str) -> str:
        for pattern, by in FLOAT:
            line = pattern.sub(by, line)
        if (m := BINARY.match(line)) and _unsupported(m):
            call = f"call {m['ty']} @__sbf_{m['op']}_{m['ty']}({m['ty']} {m['a']}, {m['ty']} {m['b']})"
            return f"{m['dst']}{call}{m['rest']}"
        if FORBIDDEN.search(line):
            self.problems.append(f"{self.function}: {line.strip()}")
            return line
        if OVERFLOW.search(line):
            return OVERFLOW.sub(r"@__sbf_\1mulo_\2(", line)
        if (m := CALLEE.search(line)) and m[1] in self.wide:
            return self.groups.replace(line, _closing(line, m.end() - 1) + 1, inline=False)
        return line


def _unsupported(m: re.Match[str]) -> bool:
    """Whether the backend cannot compile this binary operation."""
    if m["op"] in ("sdiv", "srem"):
        return True
    return m["ty"] == "i128" and (m["op"] not in ("shl", "lshr", "ashr") or m["b"].startswith("%"))


def _with_runtime(program: list[str], runtime: str) -> list[str]:
    text = "\n".join(program)
    defined = set(DEFINED.findall(text))
    own = defined | {m[1] for line in program if (m := DECLARE.match(line))}
    out = _without_declares(program, MEMORY.__contains__)
    for block in re.split(r"\n\n+", runtime):
        found = DEFINED.search(block)
        if not (found and found[1] in defined):
            out += ["\n".join(_without_declares(block.split("\n"), own.__contains__)), ""]
    return out


def _without_declares(lines: list[str], unwanted: Callable[[str], bool]) -> list[str]:
    return [line for line in lines if not ((m := DECLARE.match(line)) and unwanted(m[1]))]
