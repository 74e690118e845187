"""One failure ends an operation: whoever waits, at a gate or for work of another thread, is let go with it.

A gate may stand for a minute, Pulumi waits for every `Create`, a payment for a node that is dead; so waiting is
always on two things at once. What is given up goes on in its thread until it ends by itself.
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

    def tell(self, failed: Callable[[BaseException], None]) -> None:
        """Call `failed` with what fails, in the thread that finds it; at once where it has."""

        def told(failure: Future[None]) -> None:
            if (error := failure.exception()) is not None:
                failed(error)

        self._failure.add_done_callback(told)

    def within(self, seconds: float) -> BaseException | None:
        """Return what failed, waiting for it a little; or None."""
        wait([self._failure], timeout=seconds)
        return self.failure

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

    def call(self, act: Callable[[], None], name: str) -> None:
        """Call `act` in a thread of its own and return with it, or as soon as the operation has failed.

        Args:
            act: what to do.
            name: of the thread.

        Raises:
            Exception: what it failed with, or the operation's failure.
        """
        outcome: Future[None] = Future()

        def run() -> None:
            try:
                act()
            except BaseException as error:  # noqa: BLE001 - whoever waits for the outcome sees it
                outcome.set_exception(error)
            else:
                outcome.set_result(None)

        threading.Thread(target=run, name=name, daemon=True).start()
        self.wait(outcome)
