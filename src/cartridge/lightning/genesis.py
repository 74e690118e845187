"""Before any node runs: its wallet is written and paid, so that at its first start it finds its money on the chain.

Wallets are written while bitcoind starts; the chain is premined and everybody paid with one transaction as soon as
it answers. Safe to repeat: a coin that is there already is not paid again. Never touches a node that runs.
Each run makes at least one block, because lnd does not start on a chain whose newest block is two hours old.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from pathlib import Path

from cartridge.journal.recorder import Recorder
from cartridge.lightning.chains.bitcoind import SATOSHI, Block, Chain, Coin, Output
from cartridge.lightning.ldk_wallets import LdkWallets
from cartridge.lightning.topology import funding
from cartridge.lightning.wallets import Maker, NewNode, Wallets, Written
from cartridge.model.network import Network

_REWARD = 50 * SATOSHI
"""What the first blocks of a regtest chain give."""
_MAKERS: Mapping[str, Callable[[Path, str, Sequence[NewNode]], Maker]] = {"ldk": LdkWallets, "lnd": Wallets}
"""By implementation."""


class Genesis:
    """The wallets of new nodes, from nothing to files with money on the chain.

    Args:
        programs: by implementation, the path of what makes its wallets: `regtest-wallet` for `lnd`, `ldk-regtest` for
            `ldk`. Nodes of others get no files and no coins here.
        stack: the stack's name; it decides the nodes' keys.
        network: all of it.
        fresh: names of the nodes to make; the others exist already.
        hosts: more names for the TLS certificates, by node.
        recorder: is told the steps `network/premine` and `network/fund`.
    """

    def __init__(
        self,
        programs: Mapping[str, Path],
        stack: str,
        network: Network,
        *,
        fresh: Sequence[str],
        recorder: Recorder,
        hosts: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        coins, names = funding(network), hosts or {}
        kinds = {name: network.nodes[name].implementation for name in fresh}
        self._coins = {name: coins[name] for name in fresh if kinds[name] in programs}
        self._makers = [
            _MAKERS[kind](
                programs[kind],
                stack,
                [NewNode(name, len(coins[name]), names.get(name, ())) for name in self._coins if kinds[name] == kind],
            )
            for kind in sorted({kinds[name] for name in self._coins})
        ]
        self._recorder = recorder
        self._written: Future[dict[str, Written]] = Future()
        self._files: Future[dict[str, Mapping[str, bytes]]] = Future()
        threading.Thread(target=self._write, name="wallets", daemon=True).start()

    def pay(self, chain: Chain) -> None:
        """Premine `chain`, pay the new nodes' coins that are not there yet, and finish their files.

        Raises:
            CartridgeError: what the chain or the program raise; `files` raises it too.
        """
        try:
            tip = self._premine(chain)
            with ExitStack() as makers:
                for maker in self._makers:
                    makers.enter_context(maker)
                known = self._fund(chain, tip)
                since = [chain.raw(height) for height in range(known.height + 1, chain.tip().height + 1)]
                sealed = [maker.seal(known, since) for maker in self._makers]
                self._files.set_result({name: files for one in sealed for name, files in one.items()})
        except BaseException as error:  # whoever waits for the files must hear of it; raised again for the caller
            self._files.set_exception(error)
            raise

    def give_up(self, error: BaseException) -> None:
        """Let everybody who waits for files hear that there will be none."""
        if not self._files.done():
            self._files.set_exception(error)
            for maker in self._makers:
                maker.__exit__(type(error), error, None)

    def files(self, node: str) -> Mapping[str, bytes]:
        """Return the files of a new node (path in its data folder to content), once its coins are on the chain."""
        return self._files.result().get(node, {})

    def _write(self) -> None:
        try:
            self._written.set_result({name: one for maker in self._makers for name, one in maker.write().items()})
        except BaseException as error:  # noqa: BLE001 `pay` raises it
            self._written.set_exception(error)

    def _premine(self, chain: Chain) -> Block:
        with self._recorder.step("network/premine", "chain: mining the first blocks"):
            money = sum(sum(amounts) for amounts in self._coins.values())
            return chain.premine(2 + money // _REWARD)

    def _fund(self, chain: Chain, tip: Block) -> Block:
        """Pay what is missing; return the newest block before the first one that concerns the wallets."""
        written = self._written.result()
        with self._recorder.step("network/fund", "wallets: sending coins") as step:
            there = chain.unspent(address for one in written.values() for address in one.addresses)
            outputs = self._missing(written, there)
            if outputs:
                chain.pay(outputs)
            else:
                chain.mine()
                step.skip("every coin is there")
        first = min((coin.height for coin in there), default=tip.height + 1)
        return tip if first > tip.height else chain.block(first - 1)

    def _missing(self, written: Mapping[str, Written], there: Sequence[Coin]) -> list[Output]:
        paid = {(coin.address, coin.amount) for coin in there}
        wanted = [
            Output(address, amount)
            for name, one in written.items()
            for address, amount in zip(one.addresses, self._coins[name], strict=True)
        ]
        return [output for output in wanted if (output.address, output.amount) not in paid]
