"""Reads the settings from the environment and from absl flags, when they are used.

An environment variable overrides the absl flag of the same meaning, as in tensorflow_hub.
Importing the package reads nothing. It only declares the flags, because absl rejects flags on the
command line that are not declared when it parses.
"""

from __future__ import annotations

import dataclasses
import enum
import os
import tempfile
from collections.abc import Callable
from typing import TypeVar

from absl import flags

from hubmodule._plain_errors import SettingError

_E = TypeVar("_E", bound=enum.Enum)
_T = TypeVar("_T")
# Clocks and sockets do not accept infinity.
_LONGEST_SECONDS = 1e9
# With pauses of half a minute these take eight hours.
_MOST_RETRIES = 1000
_MOST_ENTRIES = 10**9
_MOST_BYTES = 2**63 - 1
_YES = ("1", "true", "yes", "on")
_NO = ("0", "false", "no", "off")
_FLAGS = {
    "tfhub_cache_dir": "The directory where downloaded modules are kept.",
    "tfhub_model_load_format": "COMPRESSED, UNCOMPRESSED or AUTO: how modules are fetched.",
    "hubmodule_offline": "true: use only modules that are in the cache.",
    "hubmodule_audit": "off, warn or refuse: what to do with modules that do more than compute.",
    "hubmodule_lock": "A file of `hubmodule lock`, which all modules must match.",
    "hubmodule_mirrors": "PREFIX=PLACE|PLACE …: where to fetch the handles with a prefix from.",
    # There is no flag for a token, as all users of a machine see the command lines.
    "hubmodule_tokens_file": "A file with a line HOST=TOKEN for each host that wants one.",
}
# The flags of this package. If another library declares the same names after the command line was
# parsed, it replaces the flags in absl's table; this dict keeps their values.
_declared: dict[str, flags.Flag] = {}


class LoadFormat(enum.Enum):
    """How a module behind an http(s) address is fetched."""

    AUTO = "AUTO"
    COMPRESSED = "COMPRESSED"
    UNCOMPRESSED = "UNCOMPRESSED"


class AuditPolicy(enum.Enum):
    """What to do before a module is loaded for which the audit has findings."""

    OFF = "off"
    WARN = "warn"
    REFUSE = "refuse"


@dataclasses.dataclass(frozen=True)
class Settings:
    """The settings of a user.

    Attributes:
        cache_dir: Directory where modules are kept; TFHUB_CACHE_DIR, --tfhub_cache_dir.
        load_format: How to fetch a module; TFHUB_MODEL_LOAD_FORMAT, --tfhub_model_load_format.
        offline: Whether the network is turned off; HUBMODULE_OFFLINE, --hubmodule_offline.
        show_progress: Whether to show downloads on standard error; TFHUB_DOWNLOAD_PROGRESS.
            None, the default, shows a bar on terminals and in notebooks only.
        verify_tls: Whether to check certificates; False if TFHUB_DISABLE_CERT_VALIDATION is true.
        connect_timeout: Seconds to wait for a connection; HUBMODULE_CONNECT_TIMEOUT.
        read_timeout: Seconds to wait for the next byte; HUBMODULE_READ_TIMEOUT.
        lock_timeout: Seconds to wait for another process that downloads the same module
            before downloading it as well; HUBMODULE_LOCK_TIMEOUT.
        retries: Largest number of failures in a row after which a request is repeated, at most
            1000; HUBMODULE_RETRIES.
        max_archive_entries: Largest number of files and directories in an archive, at most
            10**9; HUBMODULE_MAX_ARCHIVE_ENTRIES.
        max_archive_bytes: Largest size of an unpacked archive in bytes, less than 2**63;
            HUBMODULE_MAX_ARCHIVE_BYTES.
        audit: Whether to audit modules before they are loaded, and what to do if there are
            findings; HUBMODULE_AUDIT, --hubmodule_audit.
        lock: Path of the lock file that modules must match, "" for none; HUBMODULE_LOCK,
            --hubmodule_lock.
        mirrors: Rules `PREFIX=PLACE|PLACE …`, where to fetch handles from, as
            resolver.mirrors.parse_mirrors reads them; HUBMODULE_MIRRORS, --hubmodule_mirrors.
    """

    cache_dir: str
    load_format: LoadFormat = LoadFormat.AUTO
    offline: bool = False
    show_progress: bool | None = None
    verify_tls: bool = True
    connect_timeout: float = 10.0
    read_timeout: float = 60.0
    lock_timeout: float = 600.0
    retries: int = 5
    max_archive_entries: int = 100_000
    max_archive_bytes: int = 100 << 30
    audit: AuditPolicy = AuditPolicy.OFF
    lock: str = ""
    mirrors: str = dataclasses.field(default="", repr=False)  # places may have passwords


@dataclasses.dataclass(frozen=True)
class TokenSettings:
    """The tokens of a user, which only a request needs, so that other code never has them.

    Attributes:
        text: Tokens `HOST=TOKEN …`, as downloads.tokens.parse_tokens reads them;
            HUBMODULE_TOKENS.
        path: Path of a file with such tokens, "" for none; HUBMODULE_TOKENS_FILE,
            --hubmodule_tokens_file.
    """

    text: str = dataclasses.field(default="", repr=False)
    path: str = ""


def read() -> Settings:
    """Reads the settings as they are now.

    Raises:
        SettingError: If a variable or a flag has an invalid value.
    """
    return Settings(
        cache_dir=_read_cache_dir(),
        load_format=_read_load_format(),
        offline=bool(_read_boolean("HUBMODULE_OFFLINE", flag="hubmodule_offline")),
        show_progress=_read_progress(),
        verify_tls=not _read_boolean("TFHUB_DISABLE_CERT_VALIDATION"),
        connect_timeout=_read_timeout("HUBMODULE_CONNECT_TIMEOUT", Settings.connect_timeout),
        read_timeout=_read_timeout("HUBMODULE_READ_TIMEOUT", Settings.read_timeout),
        lock_timeout=_read_seconds("HUBMODULE_LOCK_TIMEOUT", Settings.lock_timeout),
        retries=_read_count("HUBMODULE_RETRIES", Settings.retries, _MOST_RETRIES),
        max_archive_entries=_read_count(
            "HUBMODULE_MAX_ARCHIVE_ENTRIES", Settings.max_archive_entries, _MOST_ENTRIES
        ),
        max_archive_bytes=_read_count(
            "HUBMODULE_MAX_ARCHIVE_BYTES", Settings.max_archive_bytes, _MOST_BYTES
        ),
        audit=read_audit_policy(),
        lock=_read_text("HUBMODULE_LOCK", "hubmodule_lock") or "",
        mirrors=_read_text("HUBMODULE_MIRRORS", "hubmodule_mirrors") or "",
    )


def read_tokens() -> TokenSettings:
    """Reads the settings for tokens as they are now."""
    return TokenSettings(
        text=_read_text("HUBMODULE_TOKENS") or "",
        path=_read_text("HUBMODULE_TOKENS_FILE", "hubmodule_tokens_file") or "",
    )


def read_audit_policy() -> AuditPolicy:
    """Reads what to do with modules that the audit has findings for, and no other setting.

    Raises:
        SettingError: if the variable or the flag has an invalid value.
    """
    return _read_choice("HUBMODULE_AUDIT", "hubmodule_audit", AuditPolicy.OFF)


def declare_flags() -> None:
    """Declares the flags of this package, unless another library has declared them."""
    for name, text in _FLAGS.items():
        if name in flags.FLAGS:
            continue
        # allow_override: tensorflow_hub, imported later, may declare the flag again.
        flags.DEFINE_string(name, None, text, module_name="hubmodule", allow_override=True)
        _declared[name] = flags.FLAGS[name]


def _read_cache_dir() -> str:
    return _read_text("TFHUB_CACHE_DIR", "tfhub_cache_dir") or os.path.join(
        tempfile.gettempdir(), "tfhub_modules"
    )


def _read_load_format() -> LoadFormat:
    return _read_choice("TFHUB_MODEL_LOAD_FORMAT", "tfhub_model_load_format", LoadFormat.AUTO)


def _read_choice(variable: str, flag: str, default: _E) -> _E:
    """Reads a member of an enumeration by its value, in any case of letters."""
    text = _read_text(variable, flag)
    if text is None:
        return default
    choices = {member.value.lower(): member for member in type(default)}
    if text.lower() not in choices:
        known = ", ".join(member.value for member in type(default))
        raise SettingError(
            f"{variable} is {text!r}, which is not one of {known}. Unset it to get {default.value}."
        )
    return choices[text.lower()]


def _read_progress() -> bool | None:
    # In tensorflow_hub, any text means yes.
    text = _read_text("TFHUB_DOWNLOAD_PROGRESS")
    return None if text is None else text.lower() not in _NO


def _read_boolean(variable: str, flag: str | None = None) -> bool | None:
    text = _read_text(variable, flag)
    if text is None:
        return None
    if text.lower() in _YES:
        return True
    if text.lower() in _NO:
        return False
    raise SettingError(f"{variable} is {text!r}, which is neither true nor false; use 1 or 0.")


def _read_timeout(variable: str, default: float) -> float:
    seconds = _read_seconds(variable, default)
    if not seconds:
        raise SettingError(
            f"{variable} is 0, so that each request would fail. Unset it to get {default}."
        )
    return seconds


def _read_seconds(variable: str, default: float) -> float:
    return min(_read_number(variable, float, default), _LONGEST_SECONDS)


def _read_count(variable: str, default: int, most: int) -> int:
    number = _read_number(variable, int, default)
    if number > most:
        raise SettingError(
            f"{variable} is {str(number)[:40]}, which is more than {most}. Unset it to get "
            f"{default}."
        )
    return number


def _read_number(variable: str, kind: Callable[[str], _T], default: _T) -> _T:
    text = _read_text(variable)
    if text is None:
        return default
    try:
        number = kind(text)
    except ValueError:
        number = None
    if number is None or not number >= 0:  # type: ignore[operator]
        what = "a whole number in digits" if kind is int else "a number of zero or more"
        raise SettingError(
            f"{variable} is {text!r}, which is not {what}. Unset it to get {default}."
        )
    return number


def _read_text(variable: str, flag: str | None = None) -> str | None:
    """Returns the value of a variable, else of a flag; None if neither is set."""
    # Files of variables, as docker and systemd read them, may leave spaces or "\r" at the end.
    value = os.environ.get(variable, "").strip() or None
    return _read_flag(flag) if value is None and flag is not None else value


def _read_flag(name: str) -> str | None:
    declared = [table[name] for table in (flags.FLAGS, _declared) if name in table]
    given = [flag for flag in declared if flag.value]
    # A value from the command line overrides a default that a program has set.
    return min(given, key=lambda flag: flag.using_default_value).value if given else None
