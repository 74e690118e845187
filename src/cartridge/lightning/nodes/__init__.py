"""One protocol, `Node`, and the implementations that keep it: lnd, LDK, Core Lightning, eclair."""
