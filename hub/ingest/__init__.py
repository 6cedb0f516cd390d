"""Frames from gateways: verified, stored once, acknowledged with a signed receipt."""
