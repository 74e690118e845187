"""Regtest chains that make blocks and coins on demand: bitcoind's and btcd's."""
