"""The labels that say whose a Docker resource is; they outlive every state file, so `gc` needs nothing else.

Written when a resource is made and never changed afterwards (Docker cannot). Pure.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

STACK = "cartridge.stack"
COMPONENT = "cartridge.component"
URN = "cartridge.urn"
DIGEST = "cartridge.digest"
OWNER = "cartridge.owner"
CREATED = "cartridge.created"
EXPIRES = "cartridge.expires"
LOCK = "cartridge.lock"
FOLDER = "cartridge.folder"
PORTS = "cartridge.ports"
ONE_SHOT = "cartridge.one-shot"


class Ownership(Struct, frozen=True):
    """Whose a resource is and how long it may live (see `deploy.engine.Lease`).

    Attributes:
        stack: the stack's id.
        owner: `user@host:project-root`.
        created: ISO 8601 in UTC.
        expires: ISO 8601 in UTC, or "" for never.
        lock_digest: SHA-256 (hex) of `cartridge.lock`.
        folder: the stack's folder of state, absolute.
    """

    stack: str
    owner: str
    created: str
    expires: str
    lock_digest: str
    folder: str

    def labels(self, urn: str, component: str = "", digest: str = "") -> dict[str, str]:
        """Return the labels of one resource.

        Args:
            urn: what Pulumi calls it.
            component: the component it belongs to; "" for what the whole stack shares.
            digest: what it is; see `deploy.engine.Wanted.digest`.
        """
        return {
            STACK: self.stack,
            COMPONENT: component,
            URN: urn,
            DIGEST: digest,
            OWNER: self.owner,
            CREATED: self.created,
            EXPIRES: self.expires,
            LOCK: self.lock_digest,
            FOLDER: self.folder,
        }


def of_stack(stack: str) -> dict[str, list[str]]:
    """Return the Engine's filter for everything of one stack."""
    return {"label": [f"{STACK}={stack}"]}


def of_anyone() -> dict[str, list[str]]:
    """Return the Engine's filter for everything any stack of ours owns."""
    return {"label": [STACK]}


def belongs(labels: Mapping[str, str] | None, stack: str) -> bool:
    """Tell whether something with these labels is the stack's."""
    return bool(labels) and (labels or {}).get(STACK) == stack
