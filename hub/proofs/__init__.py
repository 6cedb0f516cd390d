"""The proof of one reading: from its signature through interval and settlement line to the chain's accounts."""
