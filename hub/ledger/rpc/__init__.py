"""Solana's JSON-RPC and WebSocket methods, as the embedded ledger answers them."""
