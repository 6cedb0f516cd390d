"""The wire format does not drift: committed bytes and hashes, followed here with nothing but hashlib and libsodium."""

import json
from hashlib import sha256
from typing import Any

import msgpack
import pytest
from nacl.signing import VerifyKey

from edge.wire import frames, proofs, receipts, records
from support.rows.wire_vectors import FILES, RECORDS_OF, build


@pytest.fixture(scope="module", params=FILES)
def version(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture(scope="module")
def vectors(version: int) -> dict[str, Any]:
    return dict(json.loads(FILES[version].read_text()))


def raw(text: str) -> bytes:
    return bytes.fromhex(text)


def test_today_s_code_writes_the_committed_bytes(version: int, vectors: dict[str, Any]) -> None:
    assert build(version) == vectors


def test_today_s_code_reads_the_committed_records(version: int, vectors: dict[str, Any]) -> None:
    read = {name: records.decode_record(raw(data), version) for name, data in vectors["records"].items()}
    assert read == RECORDS_OF[version]


def test_every_hash_follows_from_the_text_of_the_format(version: int, vectors: dict[str, Any]) -> None:
    name = vectors["gateway_id"].encode()
    for frame in vectors["frames"]:
        body = list(msgpack.Unpacker(bytesio(raw(frame["body"])), raw=True))
        assert [sha256(b"peerwatt/leaf/1" + bytes([len(name)]) + name + r).hexdigest() for r in body] == frame["leaves"]
        level = [raw(leaf) for leaf in frame["leaves"]]
        assert split_root(level).hex() == frame["merkle_root"]
        assert sha256(b"peerwatt/header/1" + raw(frame["header"])).hexdigest() == frame["header_hash"]
        VerifyKey(raw(vectors["gateway_public_key"])).verify(raw(frame["header"]), raw(frame["signature"]))
        header = msgpack.unpackb(raw(frame["header"]), raw=True)
        assert header[:3] == [
            f"peerwatt/frame/{version}".encode(),
            name,
            sha256(raw(vectors["gateway_public_key"])).digest()[:8],
        ]
        assert header[6:8] == [len(body), raw(frame["merkle_root"])]


def test_the_second_frame_names_the_first(vectors: dict[str, Any]) -> None:
    first, second = (frames.decode_frame(raw(frame["frame"])) for frame in vectors["frames"])
    assert first.header.previous_hash == bytes(32)
    assert second.header.previous_hash == first.header_hash
    for frame in (first, second):
        frames.verify_signature(frame, raw(vectors["gateway_public_key"]))


def test_the_proof_file_holds(vectors: dict[str, Any]) -> None:
    proven = proofs.check_proof(vectors["proof"])
    assert proven.record == RECORDS_OF[1]["reading"]
    assert proven.reading_id.hex() == vectors["frames"][0]["leaves"][2]


def test_the_receipt_opens_with_the_hub_s_key_only(vectors: dict[str, Any]) -> None:
    from nacl.signing import SigningKey

    hub = bytes(SigningKey(raw(vectors["hub_seed"])).verify_key)
    assert receipts.open_receipt(raw(vectors["receipt"]), hub).stored == {bytes(range(16)): [(1, 2)]}
    with pytest.raises(ValueError, match="not by this key"):
        receipts.open_receipt(raw(vectors["receipt"]), raw(vectors["gateway_public_key"]))


def split_root(leaves: list[bytes]) -> bytes:
    """RFC 6962's definition, read top down: split at the largest power of two below the size."""
    if len(leaves) == 1:
        return leaves[0]
    middle = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"peerwatt/node/1" + split_root(leaves[:middle]) + split_root(leaves[middle:])).digest()


def bytesio(data: bytes) -> Any:
    import io

    return io.BytesIO(data)
