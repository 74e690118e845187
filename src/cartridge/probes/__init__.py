"""Questions to running things, one observable a module, and `wait`, which asks until the answer is right."""
