"""The ladder of a proof as the browser climbs it: green on real data, red where something was changed, by name."""

import json
import subprocess
import sys
from pathlib import Path

from nacl.signing import SigningKey

from edge.wire.frames import seal
from edge.wire.proofs import check_proof, make_proof
from edge.wire.records import Reading, encode_record
from hub.clock import at_s
from support.rows.seed import ANNA, BOOT, END_S, GATEWAY, START_S, stand_in
from support.servers.browser import Site

FROM_HUB = {"reading": "verified", "frame": "verified", "interval": "consistent", "line": "consistent", "chain": "told"}
"""Each step of a proof from the hub; those above the signature are only shown."""
FROM_FILE = dict.fromkeys(FROM_HUB, "consistent") | {"chain": "told"}
"""Each step of a proof from a file; there the key is only shown too."""


async def test_the_browser_verifies_every_rung_and_finds_what_was_changed(site: Site) -> None:
    other, forged = site.campus.readings["METER_001", START_S].hex(), _forged(site.out / "forged.json")
    async with site.script("proof", reading=site.reading, other=other, forged=forged) as script:
        first = await script.fact()
        assert first["rungs"] == FROM_HUB
        assert first["verdict"] == "This reading is as its gateway signed it."

        assert (await script.fact())["rungs"] == FROM_FILE, "the downloaded file, opened from disk"
        for name, rung in (("record", "reading"), ("signature", "frame"), ("interval", "interval")):
            fact = await script.fact()
            assert fact["tampered"] == name
            assert fact["rungs"][rung] == "broken"
            assert fact["verdict"].startswith("Do not trust this reading")

        made_up = await script.fact()
        assert made_up["rungs"] == FROM_FILE | {"interval": "absent", "line": "absent", "chain": "absent"}
        assert made_up["verdict"] == "This file fits together. That proves nothing by itself."
        assert "settlement_account" in (await script.fact())["refused"]
        for rung in ("reading", "interval"):
            fact = await script.fact()
            assert fact["swapped"] == rung
            assert fact["rungs"][rung] == "broken", "genuine, and not what was asked for"

        await script.fact()
        await site.pool.execute(
            "UPDATE settlement_lines SET credit_micros = credit_micros + 1 WHERE start_at = $1 AND participant_id = $2",
            at_s(START_S), ANNA,
        )  # fmt: skip
        script.go_on()
        changed, end = await script.facts()

    assert changed["rungs"] == {**FROM_HUB, "line": "broken"}
    assert end == {"errors": []}
    _accepted_elsewhere(site.out / "proof.json", site.reading)


def _forged(file: Path) -> str:
    """Writes a proof that is signed with a key of its own; returns its path."""
    record = encode_record(Reading(1, 5, END_S, 100, "S", "G", 0, 999_999, 5))
    key = SigningKey(stand_in("somebody else's key"))
    frame = seal(
        gateway_id=GATEWAY, boot_id=BOOT, sequence=1, previous_hash=bytes(32), sealed_at_ms=END_S * 1000,
        records=[record], signing_key=key,
    )  # fmt: skip
    file.write_text(json.dumps(make_proof(frame, 0, bytes(key.verify_key))))
    return str(file)


def _accepted_elsewhere(file: Path, reading: str) -> None:
    """Checks that `edge` accepts the file that the browser saved."""
    assert check_proof(json.loads(file.read_bytes())).reading_id.hex() == reading
    command = [str(Path(sys.executable).parent / "peerwatt-edge"), "verify", str(file)]
    completed = subprocess.run(command, capture_output=True, text=True, check=False)
    assert completed.returncode == 0, completed.stdout + completed.stderr
