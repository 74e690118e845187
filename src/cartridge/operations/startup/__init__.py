"""From documents to a network that is ready: what `up`, `restore`, `fork` and plain Pulumi share."""
