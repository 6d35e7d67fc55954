"""The processes that stand for other computers, and for the air, in a test.

A busy computer slows the programs on it, but no board and no other computer. So these processes
get the processor first, as do avahi-daemon and D-Bus, which nobody tests here.
"""

import contextlib
import os


@contextlib.contextmanager
def elsewhere():
    """Gives processes and threads that start meanwhile priority over all others, if this user may do that."""
    before = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    except PermissionError:
        yield
        return
    try:
        yield
    finally:
        os.sched_setscheduler(0, *before)
