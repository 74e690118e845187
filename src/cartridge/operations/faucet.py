"""`faucet`: an HTTP faucet in the foreground, for programs on this machine that want coins of a stack.

The token is read from a file that only its owner can read, and made there where there is none; it is never on a
command line, in a journal, log or answer. Ends with Ctrl-C and leaves nothing but the token.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable
from pathlib import Path
from secrets import token_urlsafe

from cartridge.errors import InputError, MissingError
from cartridge.operations.access.context import Context
from cartridge.operations.access.selection import chosen
from cartridge.operations.fund import fund
from cartridge.operations.results.networks import FaucetResult

NAME = "faucet.token"
MOST = 100_000_000_000
"""Millisatoshis a request may ask for where nothing else is said: one bitcoin."""
SHORTEST = 16
"""Characters of a token."""


def faucet(
    context: Context, *, port: int, token_file: Path | None, most: int, begun: Callable[[FaucetResult], None]
) -> None:
    """Serve until the run is cancelled; `begun` is told where and on what terms.

    Args:
        context: of this run.
        port: on loopback; 0 takes a free one.
        token_file: holds the token; the stack's own file where None.
        most: millisatoshis a request may ask for.
        begun: called once it serves.

    Raises:
        InputError: `amount-wrong`; `token-wrong`, the file can be read by others, or holds no token.
        MissingError: no such stack; `port-taken`.
    """
    from cartridge.lightning.faucet import Faucet, Given, Terms

    if most <= 0:
        raise InputError("nothing can be asked for", code="amount-wrong", resolution="write such as `--most 1btc`")
    state = chosen(context)
    path = token_file or context.folder(state.stack) / NAME
    token = token_of(path)

    def give(to: str, amount: int) -> Given:
        paid = fund(context, node=to, amount=amount)
        return Given(to, paid.amount, paid.txid, paid.height)

    try:
        serving = Faucet(port, Terms(token, most, give))
    except OSError as error:
        raise MissingError(
            f"port {port} cannot be listened on: {error.strerror}",
            code="port-taken",
            resolution="give another with `--port`, or none for a free one",
        ) from error
    with contextlib.closing(serving):
        begun(FaucetResult(state.stack, f"http://127.0.0.1:{serving.port}/", str(path), most))
        while not context.clock.wait(3600, context.cancelled):
            pass


def token_of(path: Path) -> str:
    """Return the token in a file, which is made with a fresh one where it does not exist.

    Raises:
        InputError: `token-wrong`.
    """
    try:
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        pass
    except OSError as error:
        raise _wrong(path, f"cannot be made: {error.strerror}") from error
    else:
        with os.fdopen(opened, "w", encoding="ascii") as file:
            file.write(token_urlsafe(32) + "\n")
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise _wrong(path, "can be read by others")
        token = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise _wrong(path, "cannot be read") from error
    if len(token) < SHORTEST or not token.isprintable() or " " in token:
        raise _wrong(path, f"holds no token of {SHORTEST} characters or more")
    return token


def _wrong(path: Path, why: str) -> InputError:
    return InputError(
        f"the token file `{path}` {why}",
        code="token-wrong",
        resolution="give a file of mode 0600 with one token in it, or one that does not exist yet",
    )
