"""Solana's JSON-RPC and WebSocket methods, answered by the embedded ledger."""
