# SPDX-License-Identifier: BSD-3-Clause
"""Stops one thread of another process, as a debugger does; its other threads go on."""

import contextlib
import ctypes
import os
import pathlib

ATTACH, DETACH = 16, 17
EVERY_THREAD = 0x40000000  # __WALL

libc = ctypes.CDLL(None, use_errno=True)


def ptrace(request, tid):
    if libc.ptrace(ctypes.c_long(request), ctypes.c_long(tid), None, None):
        raise OSError(ctypes.get_errno(), f"ptrace: {os.strerror(ctypes.get_errno())}")


def thread_of(pid, name):
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        if (task / "comm").read_text().strip() == name:
            return int(task.name)
    raise LookupError(f"process {pid} has no thread {name}")


def ended(tid):
    """Was it killed meanwhile? Its process is not gone before its tracer has seen that."""
    with contextlib.suppress(ChildProcessError):
        done, status = os.waitpid(tid, EVERY_THREAD | os.WNOHANG)
        return bool(done) and (os.WIFSIGNALED(status) or os.WIFEXITED(status))
    return True


@contextlib.contextmanager
def stopped(tid):
    """The thread stands still for as long as the block lasts, unless it is killed."""
    ptrace(ATTACH, tid)
    os.waitpid(tid, EVERY_THREAD)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            ptrace(DETACH, tid)
