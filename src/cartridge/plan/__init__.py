"""Resolved stack and state in, a list of changes with reasons out. Pure: no clock, no disk, no network."""
