"""The chain as people may look at it: programs, accounts decoded by the IDLs, transactions with their logs."""
