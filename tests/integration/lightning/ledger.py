"""Follows the money that was given to the nodes of a regtest chain, output by output.

Money enters where the miner pays somebody else. From there every transaction that spends it hands it on, less its fee;
so what is unspent plus the fees is what was issued, and each unspent output must be somebody's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from cartridge.lightning.chains.bitcoind import SATOSHI
from cartridge.probes.bitcoind import BitcoindRpc

WALLET = "miner"


@dataclass
class Ledger:
    """Attributes: rpc of the chain; the height come to; issued and fees in satoshis; unspent outputs by outpoint."""

    rpc: BitcoindRpc
    height: int = 0
    issued: int = 0
    fees: int = 0
    unspent: dict[str, int] = field(default_factory=dict)

    def follow(self) -> None:
        """Read the blocks that are new; raises AssertionError where money came from nowhere."""
        tip = int(self.rpc.call("getblockcount"))
        while self.height < tip:
            self.height += 1
            block = self.rpc.call("getblock", self.rpc.call("getblockhash", self.height), 2)
            for transaction in block["tx"]:
                self._pass_on(transaction)
        assert sum(self.unspent.values()) + self.fees == self.issued

    def _pass_on(self, transaction: dict[str, Any]) -> None:
        spent = [self.unspent.pop(one) for one in _inputs(transaction) if one in self.unspent]
        outputs = {f"{transaction['txid']}:{one['n']}": one for one in transaction["vout"]}
        if spent:
            assert len(spent) == len(transaction["vin"]), "a node spends what is not its own"
            amounts = {point: _satoshis(one["value"]) for point, one in outputs.items()}
            self.fees += sum(spent) - sum(amounts.values())
            self.unspent |= amounts
        elif "coinbase" not in transaction["vin"][0]:
            for point, one in outputs.items():
                if not self._is_miners(one):
                    self.unspent[point] = _satoshis(one["value"])
                    self.issued += self.unspent[point]

    def _is_miners(self, output: dict[str, Any]) -> bool:
        address = output["scriptPubKey"].get("address")
        return address is None or bool(self.rpc.call("getaddressinfo", address, wallet=WALLET)["ismine"])


def _inputs(transaction: dict[str, Any]) -> Iterator[str]:
    return (f"{one['txid']}:{one['vout']}" for one in transaction["vin"] if "txid" in one)


def _satoshis(value: Any) -> int:
    return int((Decimal(str(value)) * SATOSHI).to_integral_exact())
