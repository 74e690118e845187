"""Brings one file here and believes none of it until its digest is the pinned one.

A broken download goes on where it stopped (`.part` files in the store, HTTP Range); bytes that turn out wrong after
a resume are fetched once more from the start, then refused. Never unpacks, never follows a link inside a file.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import url2pathname

from cartridge.artifacts import hashing, tree
from cartridge.artifacts.channels import Unserved
from cartridge.artifacts.sources import Meter, Sources
from cartridge.errors import MissingError

if TYPE_CHECKING:
    import urllib3

_CHUNK = 1 << 18
_CONNECT = 1.5
"""Seconds for a connection, name look-up included: a machine without network must not wait longer."""
_ATTEMPTS = 4
"""How often in a row a download may break off without a new byte."""


class _BrokenError(Exception):
    """The connection ended early; trying again may help."""


class Fetcher:
    """Downloads for one artifact: one pool of connections, one meter."""

    def __init__(self, sources: Sources, meter: Meter, *, total: int = 0) -> None:
        self._sources, self._meter, self._total, self._done = sources, meter, total, 0
        self._lock, self._reachable = threading.Lock(), set[str]()
        self._http: urllib3.PoolManager | None = None
        self.stopped = threading.Event()
        """Set it to break off what this fetcher has under way, at its next chunk."""

    def fetch(self, url: str, digest: str, *, through_nix: bool = False) -> Path:
        """Return a file in the store's downloads that holds the bytes of `digest` (SRI).

        Args:
            url: `https://`, `http://` or `file://`.
            digest: what the bytes must be.
            through_nix: take the digest with `nix-prefetch-url` where nix is installed.

        Raises:
            Unserved: no network, no such file, too many broken connections.
            MissingError: `artifact-digest-mismatch`, the bytes are others.
        """
        store = self._sources.store
        store.downloads.mkdir(parents=True, exist_ok=True)
        name = digest.removeprefix("sha256-").replace("/", "_").replace("+", "-").rstrip("=")
        whole, part = store.downloads / name, store.downloads / f"{name}.part"
        with store.locked(f"download-{name}"):
            if whole.is_file() and tree.sri(tree.file_digest(whole)) == digest:
                return whole
            was_resumed = part.exists()
            search = self._sources.search if through_nix else ""
            self._bring(url, part)
            found = hashing.archive_sri(part, search)
            if found != digest and was_resumed:
                part.unlink()
                self._bring(url, part)
                found = hashing.archive_sri(part, search)
            if found == digest:
                return part.replace(whole)
            part.unlink()
        raise MissingError(
            f"`{url}` has other bytes than `cartridge.lock` says",
            code="artifact-digest-mismatch",
            details=(f"wanted {digest}", f"got    {found}"),
            resolution="do not use what came; try another network or mirror, and tell the maintainers",
        )

    def _bring(self, url: str, part: Path) -> None:
        if url.startswith("file://"):
            self._copy(url, part)
            return
        if self._sources.offline:
            raise Unserved(f"needs the network for `{url}`, and this run is offline")
        self._connectable(url)
        idle, reason = 0, ""
        while idle < _ATTEMPTS:
            before = part.stat().st_size if part.exists() else 0
            try:
                self._transfer(url, part, before)
            except _BrokenError as error:
                reason = str(error)
                idle = 0 if part.exists() and part.stat().st_size > before else idle + 1
                self._sources.clock.wait(0.1 * 2**idle, self.stopped)
            else:
                return
        raise Unserved(f"`{url}` broke off {_ATTEMPTS} times: {reason}")

    def _copy(self, url: str, part: Path) -> None:
        source = Path(url2pathname(urlsplit(url).path))
        if not source.is_file():
            raise Unserved(f"`{source}` is not there")
        with source.open("rb") as file:
            self._write(part, "wb", iter(lambda: file.read(_CHUNK), b""))

    def _transfer(self, url: str, part: Path, start: int) -> None:
        from urllib3.exceptions import HTTPError, MaxRetryError, NewConnectionError

        headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={start}-"} if start else {})}
        try:
            response = self._pool().request("GET", url, headers=headers, preload_content=False, decode_content=False)
        except (MaxRetryError, NewConnectionError) as error:
            raise _BrokenError(_words(error)) from error
        with contextlib.closing(response):
            try:
                self._receive(response, part, start)
            except HTTPError as error:
                raise _BrokenError(_words(error)) from error
        if response.status == 416:
            part.unlink(missing_ok=True)
            raise _BrokenError("the server has fewer bytes than were here already")

    def _receive(self, response: urllib3.BaseHTTPResponse, part: Path, start: int) -> None:
        match response.status:
            case 200:
                self._announce(response, 0)
                self._write(part, "wb", response.stream(_CHUNK))
            case 206 if response.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
                self._announce(response, start)
                self._write(part, "ab", response.stream(_CHUNK))
            case 206:
                part.unlink(missing_ok=True)
                raise _BrokenError("the server sent another range than was asked for")
            case 416:
                return
            case status if status >= 500:
                raise _BrokenError(f"the server answered {status}")
            case status:
                raise Unserved(f"the server answered {status} for `{response.url or 'it'}`", status=status)

    def _announce(self, response: urllib3.BaseHTTPResponse, start: int) -> None:
        length = int(response.headers.get("Content-Length", "0"))
        with self._lock:
            self._done += start
            self._total = max(self._total, self._done + length)

    def _write(self, part: Path, mode: str, chunks: Iterator[bytes]) -> None:
        with part.open(mode) as file:
            for chunk in chunks:
                if self.stopped.is_set() or self._sources.stopped.is_set():
                    raise Unserved("it was broken off")
                file.write(chunk)
                with self._lock:
                    self._done += len(chunk)
                    self._meter.show(self._done, self._total)

    def _pool(self) -> urllib3.PoolManager:
        import urllib3

        with self._lock:
            if self._http is None:
                timeout = urllib3.Timeout(connect=_CONNECT, read=self._sources.patience)
                retries = urllib3.Retry(total=5, connect=0, read=0, status=0, other=0, redirect=5)
                self._http = urllib3.PoolManager(maxsize=4, timeout=timeout, retries=retries)
            return self._http

    def _connectable(self, url: str) -> None:
        """Fail within `_CONNECT` seconds where there is no way to the host, a look-up that hangs included."""
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        if host in self._reachable:
            return
        outcome = _bounded(lambda: socket.create_connection((host, port), timeout=_CONNECT).close(), _CONNECT)
        if outcome:
            raise Unserved(f"no connection to {host}: {outcome}")
        self._reachable.add(host)


def mirrored(url: str, mirror: str) -> str:
    """Return `url` with its scheme and host replaced by those of `mirror`, where one is set."""
    parts = urlsplit(url)
    if not mirror or parts.scheme == "file":
        return url
    return mirror.rstrip("/") + parts.path + (f"?{parts.query}" if parts.query else "")


def _bounded(act: Callable[[], None], seconds: float) -> str:
    """Run `act` in a thread for at most so long; return what went wrong, or ""."""
    outcome = [f"no answer within {seconds:g} s"]

    def body() -> None:
        try:
            act()
        except OSError as error:
            outcome[0] = error.strerror or str(error)
        else:
            outcome[0] = ""

    thread = threading.Thread(target=body, daemon=True)
    thread.start()
    thread.join(seconds)
    return outcome[0]


def _words(error: Exception) -> str:
    """Return the innermost reason of a chain of vendor errors, in words."""
    reason: object = getattr(error, "reason", None) or error
    return str(reason).rpartition(": ")[2] or type(error).__name__
