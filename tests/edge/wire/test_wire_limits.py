"""Every field of every message has its own place, its limits, and its name in the refusal: the wire format, a second
time, as a table.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import msgpack
import pytest
from nacl.signing import SigningKey

from edge.wire import codec, frames, heartbeats, keys, kinds, quantities, ranges, receipts, records, resend_requests
from edge.wire.errors import WireError
from edge.wire.kinds import Reading

KEY = SigningKey(bytes(range(32)))
U63, U16, TIME_S, I63 = 2**63 - 1, 2**16 - 1, 2**40, 2**63 - 1


@dataclass(frozen=True)
class Whole:
    """An integer from ``low`` to ``high``."""

    low: int = 0
    high: int = U63

    def good(self) -> list[object]:
        return [self.low, self.high]

    def bad(self) -> list[tuple[object, str]]:
        return [(self.low - 1, "out_of_range"), (self.high + 1, "out_of_range"), (b"1", "wrong_type")]


@dataclass(frozen=True)
class Bytes:
    """Exactly ``size`` bytes."""

    size: int

    def good(self) -> list[object]:
        return [b"\xa5" * self.size]

    def bad(self) -> list[tuple[object, str]]:
        return [(bytes(self.size - 1), "out_of_range"), (bytes(self.size + 1), "out_of_range"), (1, "wrong_type")]


@dataclass(frozen=True)
class Text:
    """Printable ASCII of at most ``most`` letters."""

    most: int

    def good(self) -> list[object]:
        return [b"", b" " * self.most, b"~"]

    def bad(self) -> list[tuple[object, str]]:
        wrong = (b"x" * (self.most + 1), b"\x1f", b"\x7f", b"\xe9")
        return [*((text, "out_of_range") for text in wrong), (1, "wrong_type")]


@dataclass(frozen=True)
class OneOf:
    """One of these values."""

    values: tuple[object, ...]
    wrong: object
    code: str = "out_of_range"

    def good(self) -> list[object]:
        return list(self.values)

    def bad(self) -> list[tuple[object, str]]:
        return [(self.wrong, self.code)] + ([] if self.values[0] == [] else [([], "wrong_type")])


Limits: TypeAlias = Whole | Bytes | Text | OneOf
LETTER = OneOf(tuple(map(ord, "UISR")), ord("X"))
QUALITY = OneOf(tuple(letter.encode() for letter in "UISR"), b"X")
STATE = OneOf(tuple(map(ord, "GNTDRMXIOSEF")), ord("A"))
EVENT_1 = OneOf((b"rollover", b"reset", b"swap", b"step_back"), b"misread")
EVENT = OneOf((*EVENT_1.values, b"first", b"misread", b"unexplained"), b"miracle")
GATEWAY = OneOf((b"a", b"0", b"gw-north", b"z" * 32), b"z" * 33)
AT_MS, METER, SLOT, BOOT = Whole(), Whole(0, U16), Whole(0, TIME_S), Bytes(16)


@dataclass(frozen=True)
class Message:
    """What stands in front, the fields behind it in order, and how the whole is read."""

    head: object
    fields: dict[str, Limits]
    read: Callable[[bytes], object]
    spelled: dict[str, str]
    """Fields whose attribute has another name."""

    def values(self) -> list[Any]:
        """A good value of each field, no two integers alike."""
        found: list[Any] = []
        for number, limits in enumerate(self.fields.values()):
            found.append(limits.low + number + 1 if isinstance(limits, Whole) else limits.good()[-1])
        return found

    def encode(self, values: list[Any]) -> bytes:
        return bytes(msgpack.packb([self.head, *values]))


def opened(payload: bytes) -> object:
    data = bytes(msgpack.packb([payload, keys.sign(KEY, payload)]))
    return receipts.open_receipt(data, bytes(KEY.verify_key))


def record(kind: int, **fields: Limits) -> Message:
    return Message(kind, fields, records.decode_record, {})


MESSAGES = {
    "reading": record(
        1, meter_index=METER, sequence=Whole(), slot_s=SLOT, read_offset_ms=Whole(0, 2**32 - 1), time_quality=LETTER,
        meter_state=STATE, flags=Whole(0, U16), import_wh=Whole(), export_wh=Whole(),
    ),
    "meter": record(
        2, meter_index=METER, meter_id=Text(32), serial=Text(64), profile=Text(32), profile_hash=Bytes(32), at_s=SLOT
    ),
    "start": record(
        3, at_ms=AT_MS, time_quality=QUALITY, kernel_boot_id=BOOT, version=Text(64), config_hash=Bytes(32)
    ),
    "stop": record(4, at_ms=AT_MS, reason=Text(64)),
    "config": record(5, at_ms=AT_MS, config_hash=Bytes(32)),
    "clock_step": record(
        6, at_ms=AT_MS, kernel_boot_id=BOOT, monotonic_ms=Whole(), offset_ms=Whole(-I63, I63), time_quality=QUALITY
    ),
    "gap": record(7, boot_id=BOOT, first=Whole(1), last=Whole(1), reason=Text(64), at_ms=AT_MS),
    "counter_event_1": record(
        8, meter_index=METER, slot_s=SLOT, event=EVENT_1, import_before_wh=Whole(), import_after_wh=Whole(),
        export_before_wh=Whole(), export_after_wh=Whole(), serial=Text(64),
    ),
    "key_rotation": record(9, public_key=Bytes(32), proof=Bytes(64), at_ms=AT_MS),
    "buffer_quarantine": record(10, at_ms=AT_MS, reason=Text(120), file_name=Text(120), size_bytes=Whole()),
    "counter_event": record(
        11, meter_index=METER, slot_s=SLOT, event=EVENT, last_sequence=Whole(0, U63 - 1), first_sequence=Whole(1),
        confirmed_sequence=Whole(1), import_before_wh=Whole(), import_after_wh=Whole(), export_before_wh=Whole(),
        export_after_wh=Whole(), import_width_wh=Whole(), export_width_wh=Whole(), serial_before=Text(64),
        serial=Text(64),
    ),
    "header": Message(
        b"peerwatt/frame/2",
        {"gateway_id": GATEWAY, "key_id": Bytes(8), "boot_id": BOOT, "sequence": Whole(1), "previous_hash": Bytes(32),
         "record_count": Whole(1, 256), "merkle_root": Bytes(32), "sealed_at_ms": AT_MS},
        frames.decode_header, {},
    ),
    "heartbeat": Message(
        b"peerwatt/beat/2",
        {"gateway_id": GATEWAY, "sent_at_ms": AT_MS, "version": Text(64), "boot_id": BOOT, "last_sequence": Whole(),
         "waiting": OneOf(([],), 1, "wrong_type"), "outbox_frames": Whole(), "outbox_age_s": Whole(),
         "time_quality": QUALITY, "clock_error_ms": Whole(), "meters": Whole(),
         "meters_lost": OneOf(([], [b"M"] * 512, [b"M" * 32]), [b"M"] * 513), "disk_free_bytes": Whole(),
         "memory_queue": Whole(), "complete_until_s": Whole(),
         "troubles": OneOf(([], [[b"M", b"?"]] * 128, [[b"M" * 32, b"w" * 120]]), [[b"M", b"?"]] * 129)},
        heartbeats.decode_heartbeat, {},
    ),
    "receipt": Message(
        b"peerwatt/receipt/1",
        {"gateway_id": GATEWAY, "issued_at_ms": AT_MS, "stored": OneOf(([], [[b"s" * 16, [[1, 1]]]]), 1, "wrong_type"),
         "lost": OneOf(([], [[b"l" * 16, [[2, 2]]]]), 1, "wrong_type"), "last_header_hash": Bytes(32)},
        opened, {},
    ),
    "resend_request": Message(
        b"peerwatt/ask/1",
        {"ask_id": Bytes(16), "boot_id": BOOT, "first": Whole(1), "last": Whole(1)},
        resend_requests.decode_resend_request, {"ask_id": "request_id"},
    ),
}  # fmt: skip
FIELDS = [(message, name) for message, layout in MESSAGES.items() for name in layout.fields]


def refusal(message: Message, values: list[Any]) -> WireError:
    with pytest.raises(WireError) as caught:
        message.read(message.encode(values))
    return caught.value


def with_value(message: Message, name: str, value: object) -> list[Any]:
    """Good values, this one excepted; a range stays one."""
    values, names = message.values(), list(message.fields)
    values[names.index(name)] = value
    if "first" in names:
        first, last = names.index("first"), names.index("last")
        if name == "first" and isinstance(value, int):
            values[last] = min(max(value, 1), U63)
        if name == "last":
            values[first] = 1
    if "confirmed_sequence" in names and name.endswith("_sequence"):
        at = names.index("last_sequence")
        widest = {"last_sequence": [value, U63, U63], "first_sequence": [0, value, U63]}
        values[at : at + 3] = widest.get(name, [0, 1, value])
    return values


@pytest.mark.parametrize("name", MESSAGES)
def test_every_field_is_read_from_its_own_place(name: str) -> None:
    message = MESSAGES[name]
    read, values = message.read(message.encode(message.values())), message.values()
    for (field, limits), value in zip(message.fields.items(), values, strict=True):
        shown = getattr(read, message.spelled.get(field, field))
        if limits in (LETTER, STATE):
            shown = ord(shown)
        if isinstance(shown, str):
            shown = shown.encode()
        if field in ("waiting", "stored", "lost"):
            shown = [[boot, [list(pair) for pair in pairs]] for boot, pairs in shown.items()]
        if field == "meters_lost":
            shown = [meter.encode() for meter in shown]
        if field == "troubles":
            shown = [[meter.encode(), why.encode()] for meter, why in shown]
        assert shown == value, field
    assert refusal(message, values[:-1]).code == "wrong_arity"
    assert name == "reading" or refusal(message, [*values, 1]).code == "wrong_arity"


@pytest.mark.parametrize(("message", "name"), FIELDS, ids=map(".".join, FIELDS))
def test_a_field_has_exactly_its_limits(message: str, name: str) -> None:
    layout = MESSAGES[message]
    for value in layout.fields[name].good():
        layout.read(layout.encode(with_value(layout, name, value)))
    for value, code in layout.fields[name].bad():
        error = refusal(layout, with_value(layout, name, value))
        assert (error.code, str(error).split()[0].rstrip(":")) == (code, name), value


def test_a_gateway_is_named_in_few_letters() -> None:
    header = MESSAGES["header"]
    for wrong in (b"", b"-a", b"A", b"a_b", b"a b", b"a\n"):
        assert refusal(header, with_value(header, "gateway_id", wrong)).code == "out_of_range"


@pytest.mark.parametrize(
    ("message", "newest"), [("header", 2), ("heartbeat", 2), ("receipt", 1), ("resend_request", 1)]
)
def test_another_tag_is_another_version(message: str, newest: int) -> None:
    layout = MESSAGES[message]
    later = layout.encode(layout.values()).replace(b"/%d" % newest, b"/%d" % (newest + 1), 1)
    with pytest.raises(WireError) as caught:
        layout.read(later)
    assert caught.value.code == "unknown_version"


def test_version_1_stays_readable() -> None:
    header = MESSAGES["header"]
    first = frames.decode_header(header.encode(header.values()).replace(b"frame/2", b"frame/1", 1))
    assert (first.version, frames.decode_header(header.encode(header.values())).version) == (1, 2)
    assert first.encode() == header.encode(header.values()).replace(b"frame/2", b"frame/1", 1)
    heartbeat = MESSAGES["heartbeat"]
    early = Message(b"peerwatt/beat/1", dict(list(heartbeat.fields.items())[:14]), heartbeat.read, {})
    read = heartbeats.decode_heartbeat(early.encode(early.values()))
    assert (read.memory_queue, read.complete_until_s, read.troubles) == (14, 0, ())
    for layout, count in ((heartbeat, 14), (early, 15), (early, 13)):
        with pytest.raises(WireError) as caught:
            layout.read(layout.encode([*layout.values(), 1][:count]))
        assert caught.value.code == "wrong_arity"


def test_version_1_has_no_later_kinds_of_record() -> None:
    event = MESSAGES["counter_event"]
    data = event.encode(event.values())
    assert records.decode_record(data, 2) == records.decode_record(data)
    with pytest.raises(WireError) as caught:
        records.decode_record(data, 1)
    assert caught.value.code == "unknown_kind"
    kept = MESSAGES["buffer_quarantine"]
    data = kept.encode(kept.values())
    assert records.decode_record(data, 1) == records.decode_record(data, 2)


def test_the_parts_of_a_trouble_are_named() -> None:
    heartbeat = MESSAGES["heartbeat"]
    for value, name in (
        ([[1, b""]], "meter_id"),
        ([[b"M", 1]], "trouble"),
        ([1], "trouble"),
        ([[b"M", b"w" * 121]], "trouble"),
    ):
        assert str(refusal(heartbeat, with_value(heartbeat, "troubles", value))).startswith(f"{name} "), value
    assert refusal(heartbeat, with_value(heartbeat, "troubles", [[b"M"]])).code == "wrong_arity"


def test_a_range_does_not_end_before_it_begins() -> None:
    numbers = MESSAGES["counter_event"].values()
    for name, values in (
        ("gap", [b"b" * 16, 5, 4, b"", 1]), ("resend_request", [b"q" * 16, b"b" * 16, 5, 4]),
        ("counter_event", [*numbers[:3], 7, 7, 9, *numbers[6:]]),
        ("counter_event", [*numbers[:3], 7, 9, 8, *numbers[6:]]),
    ):  # fmt: skip
        assert refusal(MESSAGES[name], values).code == "out_of_range"


@pytest.mark.parametrize(
    ("quantity", "code"),
    [
        ([0, -I63, -12], ""), ([2**24 - 1, I63, 12], ""), ([2**24, 1, 0], "out_of_range"),
        ([-1, 1, 0], "out_of_range"), ([1, -I63 - 1, 0], "out_of_range"), ([1, I63 + 1, 0], "out_of_range"),
        ([1, 1, 13], "out_of_range"), ([1, 1, -13], "out_of_range"), ([1, 1], "wrong_arity"),
        ([1, 1, 1, 1], "out_of_range"), (1, "wrong_type"),
    ],
)  # fmt: skip
def test_the_quantities_of_a_reading(quantity: Any, code: str) -> None:
    values = MESSAGES["reading"].values()
    if code:
        assert refusal(MESSAGES["reading"], [*values, quantity]).code == code
        return
    read = MESSAGES["reading"].read(MESSAGES["reading"].encode([*values, *[quantity] * 16]))
    assert isinstance(read, Reading) and read.quantities == (tuple(quantity),) * 16


def array_of(size: int) -> bytes:
    """An array of one byte string that has so many bytes as a whole."""
    for head in range(2, 7):
        data = bytes(msgpack.packb([bytes(size - head)]))
        if len(data) == size:
            return data
    raise AssertionError(size)


@pytest.mark.parametrize(
    ("read", "most"),
    [
        (records.decode_record, 480), (frames.decode_header, 256), (frames.decode_frame, 128 * 1024),
        (heartbeats.decode_heartbeat, 64 * 1024), (resend_requests.decode_resend_request, 256),
        (lambda data: receipts.open_receipt(data, bytes(KEY.verify_key)), 64 * 1024),
    ],
)  # fmt: skip
def test_a_message_has_at_most_so_many_bytes(read: Callable[[bytes], object], most: int) -> None:
    for size, too_long in ((most, False), (most + 1, True)):
        with pytest.raises(WireError) as caught:
            read(array_of(size))
        assert (caught.value.code == "too_long") == too_long


def test_the_two_parts_of_a_receipt() -> None:
    payload = MESSAGES["receipt"].encode(MESSAGES["receipt"].values())
    signature = keys.sign(KEY, payload)
    wrong: list[tuple[list[object], str, str]] = [
        ([payload], "wrong_arity", ""), ([payload, signature, 1], "wrong_arity", ""),
        ([payload, signature[:63]], "out_of_range", "signature "), ([1, signature], "wrong_type", "payload "),
        ([payload[:-1] + b"\1", signature], "bad_signature", ""),
    ]  # fmt: skip
    for parts, code, begins in wrong:
        with pytest.raises(WireError) as caught:
            receipts.open_receipt(bytes(msgpack.packb(parts)), bytes(KEY.verify_key))
        assert caught.value.code == code and str(caught.value).startswith(begins)


def by_boot(value: object) -> str:
    """The code with which a heartbeat refuses this as its waiting frames; empty when it takes it."""
    message = MESSAGES["heartbeat"]
    try:
        message.read(message.encode(with_value(message, "waiting", value)))
    except WireError as error:
        return error.code
    return ""


def boots(count: int) -> Iterator[list[object]]:
    for number in range(count):
        yield [number.to_bytes(16, "big"), [[0, 0]]]


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (list(boots(256)), ""), (list(boots(257)), "out_of_range"),
        ([[BOOT.good()[0], [[2 * n, 2 * n] for n in range(1024)]]], ""),
        ([[BOOT.good()[0], [[2 * n, 2 * n] for n in range(1025)]]], "out_of_range"),
        ([[b"b" * 16]], "wrong_arity"), ([[b"b" * 16, [], 1]], "out_of_range"), ([1], "wrong_type"),
        ([[b"b" * 16, [[1]]]], "wrong_arity"), ([[b"b" * 16, [[1, 1, 1]]]], "out_of_range"),
        ([[b"b" * 16, [[1, 1], [2, 2]]]], "non_canonical"), ([[b"b" * 16, [[1, 1], [3, 3]]]], ""),
        ([[b"b" * 16, [[3, 3], [1, 1]]]], "non_canonical"), ([[b"b" * 16, [[2, 1]]]], "out_of_range"),
        ([[b"b" * 16, []], [b"a" * 16, []]], "non_canonical"), ([[b"b" * 16, [[-1, 1]]]], "out_of_range"),
        ([[b"b" * 15, []]], "out_of_range"), ([[1, []]], "wrong_type"), ([[b"b" * 16, 1]], "wrong_type"),
    ],
)  # fmt: skip
def test_ranges_by_boot(value: object, code: str) -> None:
    assert by_boot(value) == code


def test_parts_of_ranges_are_named() -> None:
    message = MESSAGES["heartbeat"]
    for value, name in (
        ([[1, []]], "boot_id"), ([[b"b" * 16, [[b"", 1]]]], "first"), ([[b"b" * 16, [[1, b""]]]], "last"),
        ([[b"b" * 16, 1]], "waiting"), ([1], "waiting"), ([[b"b" * 16, [1]]], "waiting"),
    ):  # fmt: skip
        assert str(refusal(message, with_value(message, "waiting", value))).startswith(f"{name} "), value
    lost = refusal(message, with_value(message, "meters_lost", [b"M" * 33]))
    assert str(lost).startswith("meter_id ")


def test_what_a_heartbeat_leaves_out_is_nothing() -> None:
    short = heartbeats.Heartbeat("gw-north", 1, "0", b"b" * 16, 2)
    assert short == heartbeats.Heartbeat("gw-north", 1, "0", b"b" * 16, 2, {}, 0, 0, "U", 0, 0, (), 0, 0, 0, ())
    assert receipts.Receipt("gw-north", 1) == receipts.Receipt("gw-north", 1, {}, {}, bytes(32))
    assert ranges.ranges_of([]) == []
    assert ranges.ranges_of([1, 2, 5, 6, 7, 9]) == [(1, 2), (5, 7), (9, 9)]


def test_the_letters_of_a_time_and_of_a_meter() -> None:
    assert (kinds.INFORMATIVE, kinds.SYNCHRONISED, kinds.RELATIVE) == ("I", "S", "R")
    assert (kinds.FLAG_RETAINED, kinds.FLAG_CLOCK_SKEW, kinds.FLAG_GATEWAY_TIME) == (1, 2, 4)
    assert (kinds.GOOD, kinds.FELL_OR_FIRST, kinds.JUMPED, kinds.OTHER_IDENTITY) == ("G", "E", "O", "X")
    assert (quantities.IMPORT, quantities.EXPORT, quantities.ACTIVE_POWER) == (0x0108, 0x0208, 0x1007)
    for text, code in (("1.8.2", 0x020108), ("255.255.255", 0xFFFFFF), ("0.0.0", 0)):
        assert quantities.obis(text) == code and quantities.obis_text(code) == text
    for wrong in ("256.0.0", "1.8", "1.8.0.0", "a.b.c", "1.8.-1", "", "\u0661.8.0"):
        with pytest.raises(WireError):
            quantities.obis(wrong)


def test_other_types_than_three_are_refused_by_their_name() -> None:
    for data, code in (
        (msgpack.packb([msgpack.ExtType(1, b"x")]), "malformed"), (msgpack.packb([1.5]), "wrong_type"),
        (msgpack.packb([{1: 2}]), "wrong_type"), (msgpack.packb([None]), "wrong_type"),
        (msgpack.packb(b"x"), "wrong_type"), (msgpack.packb(["x"]), "non_canonical"),
    ):  # fmt: skip
        with pytest.raises(WireError) as caught:
            codec.unpack(data, limit=64)
        assert caught.value.code == code, data
    deepest: list[Any] = []
    for _ in range(7):
        deepest = [deepest]
    assert codec.unpack(codec.pack(deepest), limit=64) == deepest
    with pytest.raises(WireError, match="deeper than 8"):
        codec.unpack(codec.pack([deepest]), limit=64)


@pytest.mark.parametrize("size", [0, 1, 255, 256, 480])
def test_a_body_is_split_where_it_was_joined(size: int) -> None:
    bodies = [bytes(size), b"\xc4", bytes(size)]
    assert list(codec.byte_strings(frames.encode_body(bodies))) == bodies
    for cut in {1, size + 1}:
        with pytest.raises(WireError) as caught:
            list(codec.byte_strings(frames.encode_body(bodies)[:-cut]))
        assert caught.value.code == "malformed"
