"""The auction of one interval after it is attested: residual orders, one price, trades, and the checks of all of it."""
