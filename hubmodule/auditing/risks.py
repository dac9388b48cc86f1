"""The classes of risk of ops, and the levels of findings."""

from __future__ import annotations

import enum


class Risk(enum.Enum):
    """What an op can do beyond computing; the value is the name of the class in JSON and SARIF."""

    READS_FILES = "reads-files"
    WRITES_FILES = "writes-files"
    NETWORK = "network"
    CODE = "code"
    UNREGISTERED = "unregistered"
    UNKNOWN = "unknown"
    BLOCKS = "blocks"
    PRINTS = "prints"

    @property
    def title(self) -> str:
        """What the op does, as a phrase that continues "The op …"."""
        return _TITLES[self]


class Level(enum.IntEnum):
    """How much a finding matters; a higher level is worse."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3

    @property
    def label(self) -> str:
        """The name of the level on the command line and in JSON."""
        return self.name.lower()


_TITLES = {
    Risk.READS_FILES: "reads files",
    Risk.WRITES_FILES: "writes files",
    Risk.NETWORK: "reaches the network or another process",
    Risk.CODE: "runs Python or native code",
    Risk.UNREGISTERED: "is not registered in this TensorFlow",
    Risk.UNKNOWN: "may use files, addresses or callbacks",
    Risk.BLOCKS: "ends or blocks the process",
    Risk.PRINTS: "prints or stops with a message",
}
