"""One failure ends an operation: whoever waits, at a gate or for work of another thread, is let go with it.

A gate may stand for a minute, and Pulumi waits for every `Create`; so waiting is always on two things at once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, InvalidStateError, wait


class Abandonment:
    """The first failure of an operation, once there is one."""

    def __init__(self) -> None:
        self._failure: Future[None] = Future()

    @property
    def failure(self) -> BaseException | None:
        """What failed, or None."""
        return self._failure.exception() if self._failure.done() else None

    def fail(self, error: BaseException) -> None:
        """Let everybody go who waits; only the first failure counts."""
        try:
            self._failure.set_exception(error)
        except InvalidStateError:
            return

    def wait(self, work: Future[None]) -> None:
        """Return when `work` is done.

        Raises:
            Exception: what it failed with, or the operation's failure.
        """
        wait([work, self._failure], return_when=FIRST_COMPLETED)
        if self._failure.done():
            self._failure.result()
        work.result()

    def call(self, act: Callable[[str], None], argument: str) -> None:
        """Call `act` in a thread of its own and return with it, or as soon as the operation has failed.

        Raises:
            Exception: what it failed with, or the operation's failure.
        """
        outcome: Future[None] = Future()

        def run() -> None:
            try:
                act(argument)
            except BaseException as error:  # noqa: BLE001 - whoever waits for the outcome sees it
                outcome.set_exception(error)
            else:
                outcome.set_result(None)

        threading.Thread(target=run, name=f"gate-{argument}", daemon=True).start()
        self.wait(outcome)
