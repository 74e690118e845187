"""Networks in the files of other tools: read, and written. One module a format; facts of theirs stay in it."""
