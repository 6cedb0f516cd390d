"""The way to the Solana programs, and the embedded ledger that runs them."""
