"""Which files of a data folder no copy needs: what a daemon makes again, and what is about its running process."""

from __future__ import annotations

from pathlib import PurePosixPath

_NAMES = frozenset(
    {
        ".lock",  # bitcoind's own, on its data folder and on its wallets
        "LOCK",  # LevelDB's
        "LOG",
        "LOG.old",
        "debug.log",
        "bitcoind.pid",
        "peers.dat",  # bitcoind has no peers here, and its copy must look for none
        "anchors.dat",
        "banlist.json",
        "logs",  # lnd's folder
        "letsencrypt",
        "chan-backup-archives",
        # What lnd remembers of onions, to take none twice. It does so before it notes in its channels that it took one:
        # a copy of between the two refuses it, and its payer then finds no way to that node for a minute.
        "sphinxreplay.db",
        # Macaroons that lnd bakes again. While it does, its wallet comes to the tip; without that pause it mostly looks
        # a few milliseconds too early, and then waits for a whole second (lnd.go, "Waiting for chain backend").
        "chainnotifier.macaroon",
        "invoices.macaroon",
        "router.macaroon",
        "signer.macaroon",
        "walletkit.macaroon",
    }
)
_ENDINGS = (".pid", ".sock", ".lock")


def is_rebuilt(path: PurePosixPath) -> bool:
    """Tell whether a file or folder, by its path in a data folder, is left out of a copy."""
    return path.name in _NAMES or path.name.endswith(_ENDINGS)
