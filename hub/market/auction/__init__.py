"""The auction of an attested interval: residual orders, one price, trades, and the checks of the outcome."""
