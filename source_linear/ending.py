"""The end of the process by a signal: within two seconds, and by the signal itself."""

import os
import signal
import threading
import types
from collections.abc import Callable

SIGNALS = (signal.SIGTERM, signal.SIGINT)
GRACE = 1.5  # seconds to finish what is being printed; a reader that reads no more would hold it up for ever


class Ending:
    """What becomes of the process on SIGTERM and Ctrl-C.

    Attributes:
        number: the signal that was received; 0 as long as there was none.
        before: finishes what must not be cut; returns whether that is done, and the process may end at once.
    """

    def __init__(self) -> None:
        self.number = 0
        self.before: Callable[[], bool] = lambda: True

    def heed(self) -> None:
        """Take the signals over, but not those that are ignored, as in the background."""
        for number in SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._receive)

    def end(self) -> None:
        """End the process by the signal, so that who started it sees which; PID 1 no signal would end."""
        if os.getpid() == 1:
            os._exit(128 + self.number)
        os.kill(os.getpid(), self.number)

    def _receive(self, number: int, frame: types.FrameType | None) -> None:
        if self.number:
            return
        self.number = number
        signal.signal(number, signal.SIG_DFL)  # a second one ends it at once
        watch = threading.Timer(GRACE, self.end)
        watch.daemon = True
        watch.start()
        if self.before():
            self.end()


ENDING = Ending()
