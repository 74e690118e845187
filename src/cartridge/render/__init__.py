"""Templates and a placement in, bytes out. Never writes a file and never sees a secret's value."""
