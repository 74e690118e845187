"""The Docker engine: one Pulumi process an operation, our provider attached to it, state in the stack's folder."""
