"""A chain explorer: programs, accounts decoded by the IDLs, transactions with their logs, blocks."""
