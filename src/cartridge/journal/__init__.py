"""What happened in a run, as typed events, appended to a file of JSON lines. Readers only read."""
