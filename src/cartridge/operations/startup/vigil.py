"""Watches over what a run has started until its network is up: a component that dies ends the run.

Nobody then waits for what will never be. Never starts, stops or removes anything: what died is kept for a look.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator

from cartridge.deploy.abandon import Abandonment
from cartridge.errors import ApplyError, CartridgeError, InputError, InterruptError
from cartridge.targets.driver import ComponentState, Condition, Driver

LAST_LINES = 20
"""Lines of a dead component's log that go into the error."""
AFTERTHOUGHT = 1.0
"""Seconds a death may take to be told after somebody else has already noticed that no answer comes."""


class Vigil:
    """The watch of one run.

    Args:
        driver: the grip on what runs.
        cancel: called once a component has died, to end every wait.

    Raises:
        MissingError: `target-down`.
    """

    def __init__(self, driver: Driver, cancel: Callable[[], None]) -> None:
        self._driver, self._cancel = driver, cancel
        self._lock, self._started, self._dead = threading.Lock(), set[str](), set[str]()
        self._abandonment, self._is_over = Abandonment(), False
        self._deaths = driver.deaths()
        threading.Thread(target=self._watch, name="vigil", daemon=True).start()

    def started(self, name: str) -> None:
        """Watch over a component from now on; it may be dead already."""
        with self._lock:
            self._started.add(name)
            is_dead = name in self._dead
        if is_dead:
            self._judge(name)

    def tell(self, failed: Callable[[BaseException], None]) -> None:
        """Have the death that ends the run told to `failed`, in a thread of the watch."""
        self._abandonment.tell(failed)

    def over(self, work: Callable[[], None], name: str) -> None:
        """Do `work` in a thread called `name` and return with it, or as soon as a component has died.

        Raises:
            ApplyError: `component-failed`.
            Exception: what `work` raises.
        """
        self._abandonment.call(work, name)

    def refuse_dead(self) -> None:
        """Return if everything is alive.

        Raises:
            ApplyError: `component-failed`.
        """
        if (failure := self._abandonment.failure) is not None:
            raise failure

    def reason(self, error: CartridgeError) -> BaseException:
        """Return why there was `error`: a component died, which may be told a moment later; or nothing else."""
        if isinstance(error, InputError | InterruptError):
            return self._abandonment.failure or error
        return self._abandonment.within(AFTERTHOUGHT) or error

    def end(self) -> None:
        """Say that the run is over: a death from now on is none of its own.

        Raises:
            ApplyError: `component-failed`, one was before.
        """
        with self._lock:
            self._is_over = True
        self.refuse_dead()

    def close(self) -> None:
        """End the watch."""
        self._deaths.close()

    def _watch(self) -> None:
        try:
            for name in self._deaths:
                with self._lock:
                    self._dead.add(name)
                    is_ours = name in self._started
                if is_ours:
                    self._judge(name)
        except CartridgeError as error:  # nobody would tell of a death any more
            self._fail(error)

    def _judge(self, name: str) -> None:
        """Fail unless the component was started again since it died."""
        try:
            look = self._driver.conditions()[name]
            if look.state is ComponentState.FAILED:
                self._fail(_death(look, tuple(self._driver.logs(name, tail=LAST_LINES))))
        except CartridgeError as error:
            self._fail(error)

    def _fail(self, error: CartridgeError) -> None:
        with self._lock:
            if self._is_over:
                return
            self._abandonment.fail(error)
        self._cancel()


@contextlib.contextmanager
def kept(driver: Driver, cancel: Callable[[], None]) -> Iterator[Vigil]:
    """Watch while the body runs; where it fails because a component died, that is what is raised.

    Args:
        driver: the grip on what runs.
        cancel: called once a component has died, to end every wait.

    Raises:
        ApplyError: `component-failed`, with the end of its log.
        MissingError: `target-down`.
    """
    vigil = Vigil(driver, cancel)
    try:
        yield vigil
        vigil.end()
    except CartridgeError as error:
        raise vigil.reason(error) from None
    finally:
        vigil.close()


def _death(look: Condition, log: tuple[bytes, ...]) -> ApplyError:
    status = look.exit_status or 0
    how = f"with status {status}" if status >= 0 else f"by {signal.Signals(-status).name}"
    return ApplyError(
        f"`{look.name}` ended by itself {how}",
        code="component-failed",
        details=tuple(line.decode("utf-8", "replace") for line in log),
        resolution=f"`cartridge logs {look.name}` has the rest; it was left as it is",
    )
