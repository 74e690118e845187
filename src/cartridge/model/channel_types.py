"""The types of channels there are, apart from the models so that whoever only names one loads none of them."""

from __future__ import annotations

from typing import Literal

ChannelType = Literal["static-remote-key", "anchors", "taproot"]
"""Of its commitments: before anchors, with anchors, and with scripts of taproot."""
STATIC_REMOTE_KEY: ChannelType = "static-remote-key"
