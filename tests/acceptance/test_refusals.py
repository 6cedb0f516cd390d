"""A flipped bit and another gateway's name on the running demo: refused, quarantined by reason, shown to operators."""

import asyncio
import contextlib
import json
import re
import shutil
import sqlite3
import subprocess
import sys
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
from nats.errors import TimeoutError as NatsTimeoutError

from edge.wire.frames import Frame, decode_frame
from edge.wire.subjects import frame_subject
from support.servers.demo import DemoProcess
from support.servers.demo_runs import CrashDemo
from support.servers.frame_sender import publish, sending_as

EDGE = Path(sys.executable).with_name("peerwatt-edge")
LEDGER = "ledger.sqlite"
IN_FIRST_RECORD = 4
"""The index of a byte in a frame's body that belongs to the first record: its length takes two bytes before it."""


def edge(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([EDGE, *words], capture_output=True, text=True, check=False, timeout=60)


@dataclass
class StateCopy:
    """A copy of a gateway's configuration, keys and ledger."""

    config: Path
    ledger: Path

    @classmethod
    def of(cls, demo: DemoProcess, gateway_id: str, folder: Path) -> "StateCopy":
        source, state = demo.state / gateway_id, folder / gateway_id
        state.mkdir(mode=0o700)
        shutil.copytree(source / "keys", state / "keys")
        shutil.copy(source / "identity.json", state)
        with (
            contextlib.closing(sqlite3.connect(f"file:{source / LEDGER}?mode=ro", uri=True)) as theirs,
            contextlib.closing(sqlite3.connect(state / LEDGER)) as ours,
        ):
            theirs.backup(ours)
        config = folder / "edge.toml"
        config.write_text((source / "edge.toml").read_text().replace(str(source), str(state)))
        return cls(config, state / LEDGER)

    def verify(self) -> tuple[int, dict[str, Any]]:
        done = edge("verify", "--config", self.config, "--json")
        return done.returncode, json.loads(done.stdout)

    def frames(self) -> list[Frame]:
        with contextlib.closing(sqlite3.connect(self.ledger)) as db:
            rows = db.execute("SELECT header, signature, body FROM frame ORDER BY id").fetchall()
        return [Frame(*row) for row in rows]

    def flip_a_stored_bit(self) -> tuple[bytes, int, Frame]:
        """Flips a bit in the body of the newest frame; returns its boot id, its sequence, and the changed frame."""
        with contextlib.closing(sqlite3.connect(self.ledger)) as db, db:
            frame_id, boot_id, sequence, body = db.execute(
                "SELECT id, boot_id, sequence, body FROM frame ORDER BY id DESC LIMIT 1"
            ).fetchone()
            flipped = flip(body, IN_FIRST_RECORD)
            db.execute("UPDATE frame SET body = ? WHERE id = ?", (flipped, frame_id))
        return boot_id, sequence, self.frames()[-1]


def flip(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 0x04]) + data[at + 1 :]


@dataclass
class Operator:
    """An operator who is signed in and reads the quarantine."""

    demo: DemoProcess

    def __post_init__(self) -> None:
        answer = httpx.post(
            f"{self.demo.url}/api/v1/auth/login",
            json={"email": "operator@campus.example", "password": self.demo.password},
        )
        self._headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}

    def get(self, path: str) -> Any:
        answer = httpx.get(f"{self.demo.url}/api/v1/operator{path}", headers=self._headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def find(self, payload: bytes) -> dict[str, Any] | None:
        payload_hash = sha256(payload).hexdigest()
        items = self.get("/quarantine?limit=200")["items"]
        return next((item for item in items if item["payload_hash"] == payload_hash), None)

    def sees(self, payload: bytes, code: str, gateway_id: str) -> dict[str, Any]:
        """Waits until these bytes are in quarantine for this reason; returns the entry with its bytes."""
        item = self.demo.until(lambda: self.find(payload), 20, f"{code} in quarantine")
        assert (item["code"], item["gateway_id"]) == (code, gateway_id)
        entry = self.get(f"/quarantine/{item['quarantine_id']}")
        assert entry["payload"] == payload.hex()
        assert entry["detail"]
        return dict(entry)


@pytest.fixture
def operator(crash_demo: CrashDemo) -> Operator:
    return Operator(crash_demo.demo)


def stored_readings(demo: DemoProcess) -> int:
    return int(demo.query("SELECT count(*) AS n FROM readings")[0]["n"])


def test_a_flipped_bit_in_a_stored_frame(crash_demo: CrashDemo, operator: Operator, tmp_path: Path) -> None:
    """The gateway's own check names the frame; the hub refuses it when it is sent as the agent would send it."""
    copy = StateCopy.of(crash_demo.demo, "gw-north", tmp_path)
    code, answer = copy.verify()
    assert (code, answer["ok"]) == (0, True)
    good = copy.frames()[-1].body
    boot_id, sequence, frame = copy.flip_a_stored_bit()
    code, answer = copy.verify()
    assert (code, answer["ok"]) == (1, False)
    assert f"/{sequence})" in answer["faults"][0] and "merkle_root" in answer["faults"][0]
    publish(crash_demo.demo, "gw-north", frame_subject("gw-north"), frame.encode())
    operator.sees(frame.encode(), "merkle_root", "gw-north")
    query = "SELECT encode(sha256(body), 'hex') AS hash FROM frames WHERE boot_id = $1 AND sequence = $2"
    rows = crash_demo.demo.until(
        lambda: crash_demo.demo.query(query, boot_id, sequence) or None, 30, "the frame that the agent itself sent"
    )
    assert rows[0]["hash"] == sha256(good).hexdigest()


def test_a_flipped_bit_in_a_published_frame(crash_demo: CrashDemo, operator: Operator, tmp_path: Path) -> None:
    """The bit may be in the readings, in the signature, or in the header that it covers."""
    demo = crash_demo.demo
    frame = StateCopy.of(demo, "gw-north", tmp_path).frames()[-1]
    before = stored_readings(demo)
    header, signature = frame.header_bytes, frame.signature
    sealed_at = header.index(frame.header.merkle_root) + 34
    changed_frames = {
        "merkle_root": Frame(header, signature, flip(frame.body, IN_FIRST_RECORD)),
        "signature_invalid": Frame(header, flip(signature, 40), frame.body),
        "signature_invalid ": Frame(flip(header, sealed_at + 5), signature, frame.body),
    }
    for code, changed in changed_frames.items():
        payload = changed.encode()
        assert payload != frame.encode()
        publish(demo, "gw-north", frame_subject("gw-north"), payload)
        operator.sees(payload, code.strip(), "gw-north")
    # and what is no frame at all
    for code, payload in (("malformed", b"\x93\xc4"), ("trailing_bytes", frame.encode() + b"\x00")):
        publish(demo, "gw-north", frame_subject("gw-north"), payload)
        operator.sees(payload, code, "gw-north")
    demo.until(lambda: True if stored_readings(demo) > before else None, 60, "readings go on")


def test_a_frame_sent_with_another_gateways_credentials(
    crash_demo: CrashDemo, operator: Operator, tmp_path: Path
) -> None:
    demo = crash_demo.demo
    payload = StateCopy.of(demo, "gw-north", tmp_path).frames()[-1].encode()
    assert decode_frame(payload).header.gateway_id == "gw-north"

    async def under_the_others_name() -> list[str]:
        async with sending_as(demo, "gw-south") as sender:
            with pytest.raises(NatsTimeoutError):
                await sender.send(frame_subject("gw-north"), payload)
            return sender.refusals

    refusals = asyncio.run(under_the_others_name())
    assert any(re.search(r"permissions violation for publish to .pw\.frame\.gw-north", r.lower()) for r in refusals)
    publish(demo, "gw-south", frame_subject("gw-south"), payload)
    entry = operator.sees(payload, "subject_mismatch", "gw-south")
    assert entry["subject"] == "pw.frame.gw-south"
    assert "gw-north" in entry["detail"] and "gw-south" in entry["detail"]
    rows = demo.query("SELECT subject FROM quarantine WHERE payload_hash = sha256($1)", payload)
    assert [row["subject"] for row in rows] == ["pw.frame.gw-south"], "the other name never reached the hub"


def test_a_wrong_password_is_refused_without_saying_what_was_wrong(crash_demo: CrashDemo) -> None:
    answers = set()
    for email in ("ada@campus.example", "nobody@campus.example"):
        answer = httpx.post(
            f"{crash_demo.demo.url}/api/v1/auth/login", json={"email": email, "password": "not the password"}
        )
        assert answer.status_code == 401
        answers.add((answer.json()["code"], answer.json()["detail"]))
    assert len(answers) == 1


def test_an_unknown_gateway_gets_no_token(crash_demo: CrashDemo) -> None:
    done = crash_demo.demo.hub("token", "gw-nowhere")
    assert (done.returncode, done.stdout) == (1, "")
    assert "There is no gateway gw-nowhere" in done.stderr
