"""The ladder of a proof as the browser climbs it: green on real data, red where something was changed, by name."""

import json
import subprocess
import sys
from pathlib import Path

from edge.wire.proofs import check_proof
from hub.clock import at_s
from support.browser import Site
from support.seed import ANNA, START_S

GREEN = {"reading": "verified", "frame": "verified", "interval": "verified", "line": "verified", "chain": "told"}


async def test_the_browser_verifies_every_rung_and_finds_what_was_changed(site: Site) -> None:
    async with site.script("proof", reading=site.reading) as script:
        first = await script.fact()
        assert first["rungs"] == GREEN
        assert first["verdict"].startswith("Your browser verified 4 of 5 rungs")

        assert (await script.fact())["rungs"] == GREEN, "the downloaded file, opened from disk"
        for name, rung in (("record", "reading"), ("signature", "frame"), ("interval", "interval")):
            fact = await script.fact()
            assert fact["tampered"] == name
            assert fact["rungs"][rung] == "broken"
            assert fact["verdict"].startswith("Do not trust this reading")

        await script.fact()
        await site.pool.execute(
            "UPDATE settlement_lines SET credit_micros = credit_micros + 1 WHERE start_at = $1 AND participant_id = $2",
            at_s(START_S), ANNA,
        )  # fmt: skip
        script.go_on()
        changed, end = await script.facts()

    assert changed["rungs"] == {**GREEN, "line": "broken"}
    assert end == {"faults": []}
    _accepted_elsewhere(site.out / "proof.json", site.reading)


def _accepted_elsewhere(file: Path, reading: str) -> None:
    """The file that the browser saved holds for the gateways' own code and command too."""
    assert check_proof(json.loads(file.read_bytes())).reading_id.hex() == reading
    command = [str(Path(sys.executable).parent / "peerwatt-edge"), "verify", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
