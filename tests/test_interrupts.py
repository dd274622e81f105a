"""No Ctrl-C is lost where Python would drop it."""

import gc
import os
import signal
import sys
import time

import pytest

from space.shell.interrupts import interruptible


def test_ctrl_c_in_a_callback_of_the_garbage_collector_is_not_lost(capsys: pytest.CaptureFixture[str]) -> None:
    class Circle:
        def __init__(self) -> None:
            self.itself = self

        def __del__(self) -> None:
            os.kill(os.getpid(), signal.SIGINT)
            deleted.append(self.__class__)

    deleted: list[type] = []
    before = sys.unraisablehook, signal.getsignal(signal.SIGALRM)
    with pytest.raises(KeyboardInterrupt), interruptible():
        Circle()
        gc.collect()
        assert not deleted, "the signal struck inside of __del__"
        time.sleep(60)
    assert (sys.unraisablehook, signal.getsignal(signal.SIGALRM)) == before
    assert capsys.readouterr().err == ""
