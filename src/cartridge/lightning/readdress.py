"""A copy of a node's database, told where its peers are now.

Nodes connect by themselves to the addresses they remember. On one machine those are the ports of the network a
snapshot was taken of, which may be alive: the copy of alice would take the place of the real alice at the real bob. So
each remembered address is replaced before the copy starts.

In lnd, an address stands in `channel.db` as four bytes of IP and two of port, in link nodes and in node announcements
alike (lnd, channeldb/addr.go). A bbolt file has no checksum but on its two meta pages, which hold no address, and the
replacement is as long as what it replaces; so the bytes are exchanged where they stand. The announcements are thereby
no longer signed by their nodes, which make newer ones as soon as they start at another address. An LDK node writes
addresses in the same bytes, into a SQLite database without checksums. Pure.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping

FILES = {"lnd": "data/graph/regtest/channel.db", "ldk": "node/ldk_node_data.sqlite"}
"""By the kind of component, the one file in its data folder that holds addresses; of other kinds none is known."""


def readdress(database: bytes, ports: Mapping[int, int], host: str = "127.0.0.1") -> bytes:
    """Return the database with each `host:old` replaced by `host:new`, all at once.

    Args:
        database: the file.
        ports: new port by old one; a port may be the new one of one node and the old one of another.
        host: IPv4 address, the same for all.
    """
    moved = {_address(host, old): _address(host, new) for old, new in ports.items() if old != new}
    if not moved:
        return database
    pattern = re.compile(b"|".join(map(re.escape, moved)))
    return pattern.sub(lambda found: moved[found[0]], database)


def _address(host: str, port: int) -> bytes:
    return socket.inet_aton(host) + port.to_bytes(2, "big")
