"""How a verb gets at a stack: its state and lock, programs and engine, drivers, secrets, and the nodes themselves."""
