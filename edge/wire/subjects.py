"""The NATS subjects between a gateway and the hub, and the id under which a frame is published."""

FRAMES_STREAM = "PW_FRAMES"


def frame_subject(gateway_id: str) -> str:
    """Where the gateway publishes frames (JetStream)."""
    return f"pw.frame.{gateway_id}"


def heartbeat_subject(gateway_id: str) -> str:
    """Where the gateway publishes heartbeats."""
    return f"pw.beat.{gateway_id}"


def receipt_subject(gateway_id: str) -> str:
    """Where the hub publishes signed receipts."""
    return f"pw.receipt.{gateway_id}"


def resend_request_subject(gateway_id: str) -> str:
    """Where the hub asks for frames again."""
    return f"pw.ask.{gateway_id}"


def inbox_prefix(gateway_id: str) -> str:
    """Prefix of the gateway's reply subjects."""
    return f"_INBOX.{gateway_id}"


def message_id(header_hash: bytes, request_id: bytes = b"") -> str:
    """``Nats-Msg-Id`` of a frame; an answer to an ask has another, or the broker would take it for a duplicate."""
    return (header_hash + request_id).hex()
