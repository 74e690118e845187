"""A regtest Bitcoin chain and the Lightning network on it: adapters, wallets, funding, channels."""
