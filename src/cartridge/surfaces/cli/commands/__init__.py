"""One module a verb, each with its click command as `COMMAND`: parse, call one operation, say the result."""
