"""Checking files that others made: whatever is in them, the answer says what does not hold."""

import gc
import json
import warnings
from pathlib import Path
from typing import Any

import pytest
from nacl.signing import SigningKey

from edge.errors import VerificationError
from edge.offline.frame_chain import MAX_LINE_BYTES, write_chain
from edge.offline.verify import verify
from edge.runtime.clock import ManualClock
from edge.store.batch import Batch
from edge.store.ledger import Ledger, Signer
from edge.wire.kinds import Stop
from edge.wire.proofs import PROOF_FORMAT
from edge.wire.records import encode_record
from support.rows.wire_vectors import build
from support.servers.gateway import Gateway

KEY = SigningKey(bytes(range(32)))
PUBLIC = bytes(KEY.verify_key)


@pytest.fixture
def chain(tmp_path: Path) -> Path:
    """Three frames, exported."""
    ledger = Ledger(tmp_path / "ledger.sqlite", Signer("gw-north", b"b" * 16, KEY), ManualClock(1_780_000_000_000))
    frames = []
    for number in range(3):
        ledger.commit(Batch(records=[encode_record(Stop(number, "x"))]))
        frames += [stored.frame for stored in ledger.seal()]
    ledger.close()
    with (tmp_path / "chain.txt").open("w") as file:
        write_chain(file, "gw-north", PUBLIC, frames)
    return tmp_path / "chain.txt"


def test_a_sound_chain_holds_and_its_file_is_closed(chain: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", ResourceWarning)
        report = verify(None, chain, PUBLIC.hex().upper())
        with pytest.raises(VerificationError, match="not by the expected"):
            verify(None, chain, "00" * 32)
        gc.collect()
    assert report["ok"] and report["frames"] == 3


@pytest.mark.parametrize(
    ("spoil", "faults"),
    [
        (lambda lines: lines[:1], ["there is no frame"]),
        (lambda lines: [*lines[:2], b"\xff\xfe", *lines[2:]], ["frame 2: malformed"]),
        (lambda lines: [*lines[:2], "é".encode(), *lines[2:]], ["frame 2: malformed"]),
        (lambda lines: [*lines[:2], lines[2] + b"00" * MAX_LINE_BYTES, lines[3]], ["frame 2: malformed"]),
        (lambda lines: [*lines[:3], lines[3][:-2]], ["frame 3: malformed"]),
    ],
)
def test_a_spoilt_chain_names_the_frame(chain: Path, spoil: Any, faults: list[str]) -> None:
    chain.write_bytes(b"\n".join(spoil(chain.read_bytes().splitlines())) + b"\n")
    report = verify(None, chain, None)
    assert not report["ok"]
    assert [fault.startswith(start) for fault, start in zip(report["faults"], faults, strict=True)] == [True]


@pytest.mark.parametrize(
    "content",
    [
        b"", b"\n", b"[]", b'"text"', b"5", b"\xff\xfe\n", b'{"format": 5}', b"[" * 100_000,
        b'{"format": "peerwatt.chain/1", "public_key": 5}', b'{"format": "peerwatt.chain/1", "public_key": "xy"}',
        f'["{PROOF_FORMAT}"]'.encode(), f'"{PROOF_FORMAT}"'.encode(), PROOF_FORMAT.encode(),
        f'{{"format": "{PROOF_FORMAT}"'.encode(), b"[" * 100_000 + PROOF_FORMAT.encode(),
        b"\xff" + PROOF_FORMAT.encode(),
    ],
)  # fmt: skip
def test_what_is_neither_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "file"
    file.write_bytes(content)
    with pytest.raises(VerificationError, match=str(file)):
        verify(None, file, None)


def test_a_key_has_one_value_however_it_is_written(tmp_path: Path) -> None:
    proof, file = build()["proof"], tmp_path / "proof.json"
    file.write_text(json.dumps({**proof, "public_key": proof["public_key"].upper()}))
    assert verify(None, file, proof["public_key"])["ok"]
    assert verify(None, file, "00" * 32)["code"] == "key_id"


def test_flags_of_the_checks_have_their_twins(chain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gw = Gateway("gw-north", tmp_path, [{"id": "METER_001", "profile": "sdm630", "url": "tcp://127.0.0.1:1"}])
    gw.write_config()
    monkeypatch.setenv("PEERWATT_EDGE_PUBLIC_KEY", "00" * 32)
    done = gw.run("verify", chain)
    assert done.code == 1 and "not by the expected" in done.err
    assert gw.run("verify", chain, "--public-key", PUBLIC.hex()).code == 0
    assert gw.run("export", "--config", gw.config).code == 2
    assert gw.run("init", "--config", gw.config).code == 0
    (tmp_path / "ledger.sqlite").rename(gw.state / "ledger.sqlite")
    monkeypatch.setenv("PEERWATT_EDGE_OUT", str(tmp_path / "out.txt"))
    assert gw.run("export", "--config", gw.config).code == 0
    assert len((tmp_path / "out.txt").read_text().splitlines()) == 4
