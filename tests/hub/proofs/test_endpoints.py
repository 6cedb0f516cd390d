"""The endpoint of a reading's proof, checked here with hashes and the gateway's public key only."""

from hashlib import sha256
from struct import pack

from solders.pubkey import Pubkey

from edge.wire import merkle
from edge.wire.frames import decode_header
from edge.wire.keys import verify
from edge.wire.proofs import check_proof
from hub.chain import pdas
from hub.clock import at_s
from hub.http.types import utc_text
from support.rows.revisions import add_revision
from support.rows.seed import ANNA, BEN, END_S, INTERVAL_S, METERS, NOW_S, START_S, Campus, blinding
from support.servers.api import Api, problem

START, NEXT = utc_text(at_s(START_S)), utc_text(at_s(END_S))


def _bytes(path: list[str]) -> list[bytes]:
    return [bytes.fromhex(digest) for digest in path]


async def test_every_rung_of_the_ladder(api: Api, campus: Campus) -> None:
    reading_id = campus.readings["METER_002", END_S].hex()
    response = await api.get(f"/readings/{reading_id}/proof", api.bearer("participant", BEN))
    assert response.status_code == 200, response.text
    proof = response.json()

    header = bytes.fromhex(proof["header"])
    verify(bytes.fromhex(proof["public_key"]), header, bytes.fromhex(proof["signature"]))
    assert sha256(b"peerwatt/header/1" + header).hexdigest() == proof["header_hash"]
    gateway_id = proof["gateway_id"].encode()
    leaf = sha256(b"peerwatt/leaf/1" + bytes([len(gateway_id)]) + gateway_id + bytes.fromhex(proof["record"])).digest()
    assert leaf.hex() == reading_id
    frame_root = decode_header(header).merkle_root
    assert merkle.verify(leaf, proof["index"], proof["count"], _bytes(proof["path"]), frame_root)
    proven = check_proof(proof)
    assert proven.reading_id == leaf
    assert [(root.rung, root.root) for root in proven.roots] == [
        ("interval", campus.interval_root), ("line", campus.lines_root)
    ]  # fmt: skip

    rung = proof["interval"]
    fields = pack("<qq32sQQB", START_S, END_S, b"METER_002", 500, 0, 0)
    assert rung["blinding"] == blinding("METER_002").hex()
    leaf = sha256(b"peerwatt/interval/1" + fields + blinding("METER_002")).digest()
    assert (rung["leaf"], rung["start_at"], rung["merkle_root"]) == (leaf.hex(), START, campus.interval_root.hex())
    assert merkle.verify(leaf, rung["index"], rung["count"], _bytes(rung["path"]), campus.interval_root)

    line = proof["line"]
    fields = pack("<qI32sQQQQ", START_S, 0, bytes(Pubkey.from_string(line["wallet"])), 0, 346, 0, 1_470_500)
    leaf = sha256(b"peerwatt/line/1" + fields).digest()
    assert (line["leaf"], line["root"]) == (leaf.hex(), campus.lines_root.hex())
    assert merkle.verify(leaf, line["index"], line["count"], _bytes(line["path"]), campus.lines_root)

    assert proof["chain"]["interval_account"] == str(pdas.interval(START_S, 1))
    assert proof["chain"]["settlement_account"] == str(pdas.settlement(START_S))
    kinds = [transaction["kind"] for transaction in proof["chain"]["transactions"]]
    assert kinds == ["attest", "mint", "open", "settle", "close"]


async def test_a_proof_gives_away_no_neighbours_blinding(api: Api, campus: Campus) -> None:
    """Leaves of neighbours are in the path: with their blindings, anybody could find their energy by trying values."""
    reading_id = campus.readings["METER_002", END_S].hex()
    text = (await api.get(f"/readings/{reading_id}/proof", api.bearer("participant", BEN))).text
    others = [meter for meter in METERS if meter != "METER_002"]
    assert blinding("METER_002").hex() in text
    assert not [meter for meter in others if blinding(meter).hex() in text]


async def test_a_reading_between_two_intervals_proves_the_one_it_ends_or_the_one_that_is_asked_for(
    api: Api, campus: Campus
) -> None:
    await _attest_the_next_interval(api, campus)
    boundary = f"/readings/{campus.readings['METER_001', END_S].hex()}/proof"
    anna = api.bearer("participant", ANNA)

    ended = (await api.get(boundary, anna)).json()["interval"]
    begun = (await api.get(boundary, anna, interval=NEXT)).json()
    elsewhere = (await api.get(boundary, anna, interval="2026-06-01T12:00:00Z")).json()
    assert (ended["start_at"], begun["interval"]["start_at"]) == (START, NEXT)
    assert (begun["line"], begun["chain"]["settlement_account"]) == (None, None)
    assert elsewhere["interval"] is None


async def test_a_reading_before_the_interval_is_no_proof_of_it(api: Api, campus: Campus) -> None:
    """A boundary that was not read rests on the reading before it; a ladder of both would not hold."""
    await _attest_the_next_interval(api, campus)
    earlier = campus.readings["METER_001", START_S]
    await api.pool.execute(
        "UPDATE interval_readings SET start_reading_id = $1, end_reading_id = $1 WHERE start_at = $2",
        earlier, at_s(END_S),
    )  # fmt: skip
    anna = api.bearer("participant", ANNA)
    asked = (await api.get(f"/readings/{earlier.hex()}/proof", anna, interval=NEXT)).json()
    assert asked["interval"] is None
    assert check_proof(asked).roots == ()
    assert (await api.get(f"/readings/{earlier.hex()}/proof", anna)).json()["interval"]["start_at"] == START


async def test_every_revision_of_the_interval_is_listed_and_can_be_proven(api: Api, campus: Campus) -> None:
    async with api.pool.acquire() as connection:
        second = await add_revision(connection, 2, "METER_002", 510, refusal="it comes too late")
        third = await add_revision(connection, 3, "METER_002", 520, made_s=END_S + 700, final_s=END_S + 710)
    url, ben = f"/readings/{campus.readings['METER_002', END_S].hex()}/proof", api.bearer("participant", BEN)
    first = (await api.get(url, ben)).json()
    revisions = first["revisions"]

    assert first["interval"]["revision"] == 1
    roots = [campus.interval_root, second, third]
    for number, import_wh, root in zip((1, 2, 3), (500, 510, 520), roots, strict=True):
        proof = (await api.get(url, ben, revision=number)).json()
        assert check_proof(proof).roots[0].root == root
        assert (proof["interval"]["revision"], proof["interval"]["import_wh"]) == (number, import_wh)
        assert proof["chain"]["interval_account"] == str(pdas.interval(START_S, number))
        assert proof["revisions"] == revisions
        shown = revisions[number - 1]
        assert (shown["revision"], shown["import_wh"], shown["merkle_root"]) == (number, import_wh, root.hex())
        assert shown["interval_account"] == str(pdas.interval(START_S, number))
    assert [one["chain_state"] for one in revisions] == ["final", "refused", "final"]
    assert [one["refusal"] for one in revisions] == [None, "it comes too late", None]
    assert [one["final_at"] for one in revisions] == [utc_text(at_s(END_S + 10)), None, utc_text(at_s(END_S + 710))]
    assert [(one["traded"], one["billed"]) for one in revisions] == [(True, False), (False, False), (False, True)]
    assert [rule["rule"] for rule in revisions[1]["rules"]] == ["gap"]
    assert all(rule["says"] for rule in revisions[1]["rules"])
    assert (await api.get(url, ben, revision=4)).json()["interval"] is None


async def test_a_revision_that_did_not_know_the_reading_yet_can_be_proven_with_it(api: Api, campus: Campus) -> None:
    """The end was read late: revision 1 rests on nothing there, and the reading ends the interval all the same."""
    async with api.pool.acquire() as connection:
        await add_revision(connection, 2, "METER_002", 510)
        await connection.execute("UPDATE interval_readings SET end_reading_id = NULL WHERE revision = 1")
    url, ben = f"/readings/{campus.readings['METER_002', END_S].hex()}/proof", api.bearer("participant", BEN)
    assert (await api.get(url, ben)).json()["interval"]["revision"] == 2
    first = (await api.get(url, ben, interval=START, revision=1)).json()
    assert first["interval"]["revision"] == 1
    assert check_proof(first).roots[0].root == campus.interval_root


async def test_a_revision_that_the_chain_does_not_hold_yet_waits(api: Api, campus: Campus) -> None:
    async with api.pool.acquire() as connection:
        await add_revision(connection, 2, "METER_002", 510)
        await connection.execute("UPDATE settlement_steps SET state = 'confirmed'")
    reading_id = campus.readings["METER_002", END_S].hex()
    proof = (await api.get(f"/readings/{reading_id}/proof", api.bearer("participant", BEN))).json()
    assert [(one["chain_state"], one["final_at"]) for one in proof["revisions"]] == [("waiting", None)] * 2


async def _attest_the_next_interval(api: Api, campus: Campus) -> None:
    start, end = at_s(END_S), at_s(END_S + INTERVAL_S)
    await api.pool.execute("INSERT INTO intervals VALUES ($1, $2, 'attested', $2)", start, end)
    await api.pool.execute("INSERT INTO attestations VALUES ($1, 1, $2, 1, 0, 100, 1000, $3)", start, bytes(32), end)
    await api.pool.execute(
        "INSERT INTO interval_readings VALUES ($1, 1, 'METER_001', $2, 0, 100, 1000, 'valid', '{}', $3, $4, $5)",
        start, ANNA, campus.readings["METER_001", END_S], campus.readings["METER_001", END_S + INTERVAL_S],
        blinding("METER_001"),
    )  # fmt: skip


async def test_a_reading_of_the_running_interval_climbs_one_rung(api: Api, campus: Campus) -> None:
    reading_id = campus.readings["METER_001", NOW_S - 30].hex()
    proof = (await api.get(f"/readings/{reading_id}/proof", api.bearer("participant", ANNA))).json()

    assert proof["signature"]
    assert (proof["interval"], proof["line"], proof["chain"]) == (None, None, None)
    assert NOW_S - 30 > END_S + INTERVAL_S


async def test_a_changed_row_does_not_lead_to_the_attested_root(api: Api, campus: Campus) -> None:
    await api.pool.execute("UPDATE interval_readings SET import_wh = 400 WHERE meter_id = 'METER_002'")
    reading_id = campus.readings["METER_002", END_S].hex()
    rung = (await api.get(f"/readings/{reading_id}/proof", api.bearer("participant", BEN))).json()["interval"]

    leaf = bytes.fromhex(rung["leaf"])
    assert not merkle.verify(leaf, rung["index"], rung["count"], _bytes(rung["path"]), campus.interval_root)


async def test_unknown_and_malformed_ids(api: Api) -> None:
    problem(await api.get(f"/readings/{'ab' * 32}/proof", api.bearer("operator")), 404, "not_found")
    detail = problem(await api.get("/readings/xyz", api.bearer("operator")), 422, "invalid_request")
    assert "path.reading_id" in detail
