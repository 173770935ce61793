"""The end of the process by SIGTERM or Ctrl-C: within two seconds, whatever it is doing. Imports little."""

import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress

GRACE = 1.5  # seconds to complete what must not be cut: without a reader that would take for ever


class Ending:
    """Waits for the signals while it is entered as a context, in a thread of its own.

    A handler would run in the main thread, and only when that comes back: not while it resolves a name
    or waits for a reader. So the signals are blocked, and the thread takes them.

    Attributes:
        finish: completes what must not be cut, and lets nothing begin after it. It is called in another
            thread than the main thread, and is left alone after GRACE.
    """

    def __init__(self) -> None:
        self.finish: Callable[[], None] = lambda: None
        self._signals: set[signal.Signals] = set()

    def __enter__(self) -> None:
        if sys.platform == "win32":  # it has no such signals: a process is ended from outside
            return
        self._signals = {
            number
            for number in (signal.SIGTERM, signal.SIGINT)
            if signal.getsignal(number) is not signal.SIG_IGN  # as Ctrl-C is in the background
        }
        signal.pthread_sigmask(signal.SIG_BLOCK, self._signals)
        for number in self._signals:
            signal.signal(number, signal.SIG_DFL)
        signal.signal(signal.SIGURG, lambda *_: None)
        self._main_thread = threading.get_ident()
        if self._signals:
            threading.Thread(target=self._wait, name="signals", daemon=True).start()

    def __exit__(self, *_: object) -> None:
        if sys.platform != "win32":
            signal.pthread_sigmask(signal.SIG_UNBLOCK, self._signals)

    def interrupt(self) -> None:
        """Let a write in the main thread return with what it has written."""
        signal.pthread_kill(self._main_thread, signal.SIGURG)

    def _wait(self) -> None:
        number = signal.sigwait(self._signals)
        try:
            finishing = threading.Thread(target=self._finish, daemon=True)
            finishing.start()
            finishing.join(GRACE)
        finally:
            if os.getpid() == 1:  # most kernels keep from it the signals that it has no handler for
                os._exit(128 + number)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [number])
            os.kill(os.getpid(), number)

    def _finish(self) -> None:
        with suppress(OSError):  # nobody reads any more
            self.finish()


ENDING = Ending()
