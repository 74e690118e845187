"""Does an HTTP GET come back with the wanted status? Follows no redirect and reads no body."""

from __future__ import annotations

from cartridge.probes.wait import Patience, until

_ANSWER_WITHIN = 2.0


class _OtherStatusError(Exception):
    """Answered, but not as wanted: not yet."""


def ready(url: str, patience: Patience, *, status: int = 200) -> None:
    """Return once `url` answers with `status`.

    Raises:
        UnknownVerdictError: `wait-timeout`; its details hold the last answer.
        InterruptError: the patience was cancelled.
    """
    import urllib3

    def answered() -> bool:
        answer = pool.request("GET", url, redirect=False, timeout=_ANSWER_WITHIN, retries=False)
        if answer.status != status:
            raise _OtherStatusError(f"it answers with status {answer.status}")
        return True

    with urllib3.PoolManager(1) as pool:
        until(
            answered,
            f"`{url}` to answer with status {status}",
            patience,
            expected=(_OtherStatusError, urllib3.exceptions.HTTPError),
        )
