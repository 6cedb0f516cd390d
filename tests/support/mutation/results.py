"""What earlier runs found: a change that was noticed is not tried again while its file and the noticing test stay."""

import json
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from support.mutation.mutants import Mutant
from support.mutation.runs import ROOT, Verdict


class ResultStore:
    """The results of one room in a JSON file, which is written after each change.

    ``fingerprint`` is that of all code and tests now: a change that was not noticed is tried again when it is another.
    """

    def __init__(self, file: Path, fingerprint: str, root: Path = ROOT) -> None:
        self._file, self._now, self._root = file, fingerprint, root
        self._kept: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}

    def verdict(self, mutant: Mutant) -> Verdict | None:
        """Returns what an earlier run found, if that still holds."""
        found = self._kept.get(mutant.name)
        if found is None:
            return None
        by: str = found["by"]
        return Verdict(by, 0) if found["of"] == (self._files(mutant, by) if by else self._now) else None

    def noticed_before(self, mutant: Mutant) -> Sequence[str]:
        """Returns the test that noticed the change in an earlier run, if one did."""
        by = self._kept.get(mutant.name, {}).get("by")
        return [by] if by else []

    def keep(self, mutant: Mutant, verdict: Verdict) -> None:
        """Stores what was found."""
        of = self._files(mutant, verdict.by) if verdict.by else self._now
        self._kept[mutant.name] = {"by": verdict.by, "of": of}
        self._file.parent.mkdir(exist_ok=True)
        self._file.write_text(json.dumps(self._kept, indent=1, sort_keys=True) + "\n")

    def _files(self, mutant: Mutant, by: str) -> str:
        digest = sha256((self._root / mutant.path).read_bytes())
        test = self._root / by.partition("::")[0]
        digest.update(test.read_bytes() if test.is_file() else b"")
        return digest.hexdigest()[:16]
