"""A sampling profiler for one process: writes its processor time by function and by line to a text file.

A signal comes with every tick of processor time (1 to 4 ms, by the kernel). The time of C code is counted for the
Python line that called it.
"""

import contextlib
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

PERIOD_S = 0.001
MAX_ROWS = 45


@contextlib.contextmanager
def sampled(file: Path | None) -> Iterator[None]:
    """Samples the main thread while the block runs; does nothing without a file."""
    if file is None:
        yield
        return
    lines: Counter[str] = Counter()
    functions: Counter[str] = Counter()

    def sample(_: int, frame: FrameType | None) -> None:
        if frame is not None:
            lines[f"{_name(frame)}:{frame.f_lineno}"] += 1
        on_stack: set[str] = set()
        while frame is not None:
            on_stack.add(_name(frame))
            frame = frame.f_back
        functions.update(on_stack)

    before = signal.signal(signal.SIGPROF, sample)
    signal.setitimer(signal.ITIMER_PROF, PERIOD_S, PERIOD_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
        file.write_text(
            _report("with all it called", functions, lines.total()) + _report("itself", lines, lines.total())
        )


def _name(frame: FrameType) -> str:
    path = Path(frame.f_code.co_filename)
    return f"{path.parent.name}/{path.name} {frame.f_code.co_qualname}"


def _report(title: str, counts: Counter[str], total: int) -> str:
    rows = [f"{number / max(total, 1):7.1%}  {name}" for name, number in counts.most_common(MAX_ROWS)]
    return "\n".join([f"{title} ({total} samples)", *rows, "", ""])
