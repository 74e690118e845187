"""Brings one file here and believes none of it until its digest is the pinned one.

A broken download goes on where it stopped (`.part` files in the store, HTTP Range); bytes that turn out wrong after
a resume are fetched once more from the start, then refused. Never unpacks, never follows a link inside a file.
"""

from __future__ import annotations

import contextlib
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import url2pathname

from cartridge.artifacts import hashing, tree
from cartridge.artifacts.channel import Unserved
from cartridge.artifacts.sources import Meter, Sources
from cartridge.errors import MissingError

if TYPE_CHECKING:
    import urllib3

_CHUNK = 1 << 16
_IN_A_NAME = str.maketrans("/+", "_-", "=")
_CONNECT = 1.5
"""Seconds for a connection, name look-up included: a machine without network must not wait longer."""
_ATTEMPTS = 4
"""How often in a row a download may break off without a new byte."""


class _BrokenError(Exception):
    """The connection ended early; trying again may help."""


class Fetcher:
    """Downloads for one artifact over one pool of connections; safe to call from several threads.

    Args:
        sources: the store, the clock and what may be used.
        meter: told about the bytes of a single file; None where the caller counts files.
    """

    def __init__(self, sources: Sources, meter: Meter | None = None) -> None:
        self._sources, self._meter = sources, meter
        self._lock, self._reachable = threading.Lock(), set[str]()
        self._http: urllib3.PoolManager | None = None
        self._given_up, self._kept = threading.Event(), list[Path]()

    def give_up(self) -> None:
        """Break off what is under way in other threads, at its next chunk."""
        self._given_up.set()

    def fetch(self, url: str, digest: str, folder: Path, *, through_nix: bool = False) -> Path:
        """Return a file in `folder` (on the store's file system) that holds the bytes of `digest`.

        It is also kept among the store's downloads until `forget`, so that a kill costs no second download.

        Args:
            url: `https://`, `http://` or `file://`.
            digest: what the bytes must be, as SRI.
            folder: where it is wanted, such as a channel's scratch folder.
            through_nix: take the digest with `nix-prefetch-url` where nix is installed.

        Raises:
            Unserved: no network, no such file, too many broken connections.
            MissingError: `artifact-digest-mismatch`, the bytes are others.
        """
        store, name = self._sources.store, digest.removeprefix("sha256-").translate(_IN_A_NAME)
        store.downloads.mkdir(parents=True, exist_ok=True)
        whole, part = store.downloads / name, store.downloads / f"{name}.part"
        with store.locked(f"download-{name[0]}"):
            if not whole.is_file() or tree.sri(tree.file_digest(whole)) != digest:
                self._verified(url, digest, part, self._sources.search if through_nix else "").replace(whole)
            self._kept.append(whole)
            return _linked(whole, folder / name)

    def forget(self) -> None:
        """Remove what this fetcher brought from the store's downloads; what `fetch` returned stays."""
        for whole in self._kept:
            with self._sources.store.locked(f"download-{whole.name[0]}"):  # another may be about to link it
                whole.unlink(missing_ok=True)

    def _verified(self, url: str, digest: str, part: Path, search: str | None) -> Path:
        was_resumed = part.exists()
        self._bring(url, part)
        found = hashing.archive_sri(part, search)
        if found != digest and was_resumed:
            part.unlink()
            self._bring(url, part)
            found = hashing.archive_sri(part, search)
        if found == digest:
            return part
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
                self._sources.clock.wait(0.1 * 2**idle, self._sources.stopped)
            else:
                return
        raise Unserved(f"`{url}` broke off {_ATTEMPTS} times: {reason}")

    def _copy(self, url: str, part: Path) -> None:
        source = Path(url2pathname(urlsplit(url).path))
        if not source.is_file():
            raise Unserved(f"`{source}` is not there")
        with source.open("rb") as file:
            self._write(part, "wb", iter(lambda: file.read(_CHUNK), b""), source.stat().st_size)

    def _transfer(self, url: str, part: Path, start: int) -> None:
        from urllib3.exceptions import HTTPError, MaxRetryError, NewConnectionError

        headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={start}-"} if start else {})}
        try:
            response = self._pool().request("GET", url, headers=headers, preload_content=False, decode_content=False)
        except (MaxRetryError, NewConnectionError) as error:
            raise _BrokenError(_words(error)) from error
        with contextlib.closing(response):
            try:
                self._receive(url, response, part, start)
            except HTTPError as error:
                raise _BrokenError(_words(error)) from error
        if response.status == 416:
            part.unlink(missing_ok=True)
            raise _BrokenError("the server has fewer bytes than were here already")

    def _receive(self, url: str, response: urllib3.BaseHTTPResponse, part: Path, start: int) -> None:
        length = int(response.headers.get("Content-Length", "0"))
        match response.status:
            case 200:
                self._write(part, "wb", response.stream(_CHUNK), length)
            case 206 if response.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
                self._write(part, "ab", response.stream(_CHUNK), start + length)
            case 206:
                part.unlink(missing_ok=True)
                raise _BrokenError("the server sent another range than was asked for")
            case 416:
                return
            case status if status >= 500:
                raise _BrokenError(f"the server answered {status}")
            case status:
                raise Unserved(f"the server answered {status} for `{url}`", status=status)

    def _write(self, part: Path, mode: str, chunks: Iterator[bytes], total: int) -> None:
        with part.open(mode) as file:
            for chunk in chunks:
                self._sources.go_on()
                if self._given_up.is_set():
                    raise Unserved("another file of it failed")
                file.write(chunk)
                if self._meter is not None:
                    self._meter.show(file.tell(), total)

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


def _linked(source: Path, target: Path) -> Path:
    target.unlink(missing_ok=True)
    try:
        target.hardlink_to(source)
    except OSError:  # a file system without links
        shutil.copyfile(source, target)
    return target


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
