"""MQTT acknowledgements in our own hands: the broker keeps a message until its row is durable.

aiomqtt acknowledges on receipt and offers no other way; the paho client beneath it does. This is the only place that
reaches under aiomqtt.
"""

import aiomqtt


def hold_acknowledgements(client: aiomqtt.Client) -> None:
    """Call it before connecting: from then on nothing is acknowledged by itself."""
    client._client.manual_ack_set(True)  # noqa: SLF001 - see the module's docstring


def acknowledge(client: aiomqtt.Client, message: aiomqtt.Message) -> None:
    """Lets the broker forget a message that came over this connection; after a disconnect it does nothing."""
    if message.qos > 0:
        client._client.ack(message.mid, message.qos)  # noqa: SLF001 - see the module's docstring
