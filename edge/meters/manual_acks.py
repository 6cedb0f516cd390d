"""Acknowledges MQTT messages by hand, so that the broker keeps each until its row is durable.

aiomqtt acknowledges on receipt and offers no other way; the paho client beneath it does (``manual_ack_set``). Nothing
else reaches into aiomqtt.
"""

import aiomqtt


def acknowledge_manually(client: aiomqtt.Client) -> None:
    """Switches automatic acknowledgements off; called before the client connects."""
    client._client.manual_ack_set(True)  # noqa: SLF001 - see the module's docstring


def acknowledge(client: aiomqtt.Client, message: aiomqtt.Message) -> None:
    """Acknowledges a message that came over this connection; does nothing for QoS 0 or after a disconnect."""
    if message.qos > 0:
        client._client.ack(message.mid, message.qos)  # noqa: SLF001 - see the module's docstring
