"""What gateways and hub call things at NATS: the names are written on both sides, and once more here."""

from edge.wire import subjects
from hub.ingest import bus
from hub.ingest.heartbeats.responder import HEARTBEAT_SUBJECTS


def test_both_sides_have_the_same_names() -> None:
    assert subjects.FRAMES_STREAM == bus.STREAM == "PW_FRAMES"
    assert (bus.FRAME_SUBJECTS, subjects.frame_subject("gw-a")) == ("pw.frame.*", "pw.frame.gw-a")
    assert (HEARTBEAT_SUBJECTS, subjects.heartbeat_subject("gw-a")) == ("pw.beat.*", "pw.beat.gw-a")
    assert subjects.receipt_subject("gw-a") == "pw.receipt.gw-a"
    assert subjects.resend_request_subject("gw-a") == "pw.ask.gw-a"
    assert subjects.inbox_prefix("gw-a") == "_INBOX.gw-a"


def test_a_frame_that_is_asked_for_has_another_message_id() -> None:
    assert subjects.message_id(b"\x01\xab") == "01ab"
    assert subjects.message_id(b"\x01\xab", b"\xff\x00") == "01abff00"
