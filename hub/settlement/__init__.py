"""Settles an interval's trades on the chain: netted lines, transactions, and the comparison of chain and database."""
