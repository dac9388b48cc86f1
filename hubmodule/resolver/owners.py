"""Which process made a file, and whether it still lives.

A name in the cache says who made it, so that what a killed process left behind can be
told from what a living one works on, without locks, which not every file system has.
"""

from __future__ import annotations

import functools
import hashlib
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Owner:
    """A process.

    Attributes:
        place: stands for the machine since it booted, and for the container on it.
        pid: the number of the process, which the system uses again after its end.
        started: when it started, which tells it from a later one of the same number.
    """

    place: str
    pid: int
    started: int

    @property
    def token(self) -> str:
        """The owner as part of a file name."""
        return f"{self.place}-{self.pid}-{self.started}"


def this_process() -> Owner:
    """The owner of what this process makes."""
    pid = os.getpid()
    return Owner(_place(), pid, start_time(pid) or 0)


def parse(token: str) -> Owner | None:
    """The owner that a token stands for; None if it is no token."""
    place, _, rest = token.partition("-")
    pid, _, started = rest.partition("-")
    if not (place and pid.isdecimal() and started.isdecimal()):
        return None
    return Owner(place, int(pid), int(started))


def is_gone(owner: Owner, start_time_of: Callable[[int], int | None] | None = None) -> bool | None:
    """Whether a process has ended; None if nothing here can say, as for another machine."""
    if owner.place != _place() or not _can_look():
        return None
    return (start_time_of or start_time)(owner.pid) != owner.started


def start_time(pid: int) -> int | None:
    """When a process of this machine started, in clock ticks since boot; None if it has ended.

    Where the system does not tell, a living process started at 0.
    """
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            # The name, in parentheses, may hold spaces and parentheses itself.
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return None if os.path.exists("/proc/self/stat") else _start_without_proc(pid)
    # A zombie has ended: only its parent has not looked yet.
    return None if fields[0] in (b"Z", b"X") else int(fields[19])


def since_1970(started: int) -> float:
    """A `start_time` in seconds since 1970; a process that started later wrote no older file."""
    with open("/proc/stat") as file:
        booted = next(int(line.split()[1]) for line in file if line.startswith("btime "))
    return booted + started / os.sysconf("SC_CLK_TCK")


def _start_without_proc(pid: int) -> int | None:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass  # it lives, and belongs to another user
    return 0


def _can_look() -> bool:
    # On Windows os.kill(pid, 0) would end the process, or its whole group.
    return os.name == "posix"


@functools.lru_cache(maxsize=1)
def _place() -> str:
    parts = [
        socket.gethostname(),
        _read("/proc/sys/kernel/random/boot_id"),
        _link("/proc/self/ns/pid"),
    ]
    return hashlib.sha1("\n".join(parts).encode()).hexdigest()[:16]


def _read(path: str) -> str:
    try:
        with open(path) as file:
            return file.read().strip()
    except OSError:
        return ""


def _link(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""
