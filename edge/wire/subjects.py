"""The NATS subjects between a gateway and the hub, and the id under which a frame is published."""

FRAMES_STREAM = "PW_FRAMES"


def frame_subject(gateway_id: str) -> str:
    """Returns the subject on which a gateway publishes frames (JetStream)."""
    return f"pw.frame.{gateway_id}"


def heartbeat_subject(gateway_id: str) -> str:
    """Returns the subject on which a gateway publishes heartbeats."""
    return f"pw.beat.{gateway_id}"


def receipt_subject(gateway_id: str) -> str:
    """Returns the subject on which the hub publishes receipts for a gateway."""
    return f"pw.receipt.{gateway_id}"


def resend_request_subject(gateway_id: str) -> str:
    """Returns the subject on which the hub asks a gateway for frames again."""
    return f"pw.ask.{gateway_id}"


def inbox_prefix(gateway_id: str) -> str:
    """Returns the prefix of a gateway's reply subjects."""
    return f"_INBOX.{gateway_id}"


def message_id(header_hash: bytes, request_id: bytes = b"") -> str:
    """Returns the ``Nats-Msg-Id`` of a frame; one that is sent on request has another, or JetStream would drop it."""
    return (header_hash + request_id).hex()
