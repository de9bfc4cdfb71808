"""Bytes: framing, reading and writing IMAP's grammar. No state, no commands."""
