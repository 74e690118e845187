"""The last fence against secrets in text that leaves the process: journals, errors, crash files.

Nothing of ours should put a secret there; this catches what a foreign message quotes. Works on shapes alone, so it
keeps txids, keys of nodes, digests and paths. Takes time as the text's length. Never a reason to pass a secret on.
"""

from __future__ import annotations

import re

HIDDEN = "[hidden]"

_SHAPES: tuple[tuple[re.Pattern[str], str], ...] = (
    # macaroons and whole keys as hex; a txid, a payment hash or a SHA-512 digest is no longer than 128 digits
    (re.compile(r"\b[0-9a-fA-F]{130,}\b"), HIDDEN),
    (re.compile(r"\b[xyzt]prv[1-9A-HJ-NP-Za-km-z]{90,}"), HIDDEN),
    (re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}"), rf"\1 {HIDDEN}"),
    (re.compile(r"(?i)(macaroon=)(?!%3C|<)[A-Za-z0-9_%-]{16,}"), rf"\1{HIDDEN}"),
    (re.compile(r"((?<=\w)://[^\s:/@]*:)(?!\*{3}@)[^\s@/]+(?=@)"), rf"\1{HIDDEN}"),
    (
        re.compile(
            r"(?i)((?:password|passphrase|passwd|secret|rpcauth|api_?key|priv(?:ate)?_?key|mnemonic|token)"
            r"[\"']?\s*[=:]\s*[\"']?)(?![\s\"'/~.<\[]|\*{3})[^\s\"',;&}]+"
        ),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"\b(?:[a-z]{3,8}[ ,]+){23}[a-z]{3,8}\b"), HIDDEN),  # an aezeed or BIP 39 phrase
    (
        re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?:(?!-----BEGIN )[\s\S])*?-----END [A-Z ]*PRIVATE KEY-----"),
        HIDDEN,
    ),
)


def redact(text: str) -> str:
    """Return `text` with everything that looks like a secret hidden."""
    for shape, replacement in _SHAPES:
        text = shape.sub(replacement, text)
    return text
