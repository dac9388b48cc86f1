"""Finds the bearer token for an address: HUBMODULE_TOKENS="host=token host:port=token"."""

from __future__ import annotations

import functools
import ipaddress
import logging
import os
import re
import stat
import urllib.parse
from collections.abc import Mapping

from hubmodule import settings, urls
from hubmodule._plain_errors import SettingError

logger = logging.getLogger("hubmodule")

_VARIABLE = "HUBMODULE_TOKENS"
# What a header can hold (RFC 9110), without spaces.
_TOKEN = re.compile(r"[\x21-\x7e]+")
_FORM = (
    "HOST=TOKEN or HOST:PORT=TOKEN, with spaces or line ends between them, such as "
    "hub.example.com=abc123"
)

# By host in lower case, and by port, or None for any port.
Tokens = Mapping[tuple[str, int | None], str]


def read_tokens() -> Tokens:
    """Reads the tokens of HUBMODULE_TOKENS, and of the file that HUBMODULE_TOKENS_FILE names.

    A token of the variable overrides that of the file.

    Raises:
        SettingError: if the file cannot be read, or one of the two cannot be parsed.
    """
    given = settings.read_tokens()
    tokens = _read_file(given.path) if given.path else {}
    return {**tokens, **parse_tokens(given.text, _VARIABLE)}


def parse_tokens(text: str, source: str) -> Tokens:
    """Parses tokens.

    Args:
        text: Text such as "host=token host:port=token". A line that starts with # is skipped.
        source: Name of the variable or file, for errors, which do not show the text.

    Raises:
        SettingError: if an entry is not host=token, or a token cannot be sent.
    """
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    tokens = {}
    for number, entry in enumerate(" ".join(lines).split(), 1):
        name, _, token = entry.partition("=")
        host = _parse_host(name)
        if host is None or not _TOKEN.fullmatch(token):
            raise SettingError(f"Entry {number} of {source} is not {_FORM}.")
        tokens[host] = token
    return tokens


def find_token(tokens: Tokens, url: str, has_proxy: bool = False) -> str | None:
    """Returns the token for an address; None if there is none, or it must not be sent there.

    A token is sent over https, and over http to this machine only.

    Args:
        tokens: The tokens.
        url: Address of the request.
        has_proxy: Whether the request goes to a proxy, which reads what is sent over http.
    """
    scheme, host, port = urls.get_origin(url)
    # A user name and password in the address are for this address alone.
    if "@" in urllib.parse.urlsplit(url).netloc:
        return None
    if scheme != "https" and (has_proxy or not _is_loopback(host)):
        return None
    return tokens.get((host, port)) or tokens.get((host, None))


def _parse_host(name: str) -> tuple[str, int | None] | None:
    try:
        parts = urllib.parse.urlsplit(f"//{name}")
        is_host = bool(parts.hostname) and parts.netloc == name and "@" not in name
        return (parts.hostname or "", parts.port) if is_host else None
    except ValueError:
        return None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _read_file(path: str) -> Tokens:
    try:
        with open(path, encoding="utf-8") as file:
            mode = os.fstat(file.fileno()).st_mode
            text = file.read()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not a text"
        raise SettingError(
            f"HUBMODULE_TOKENS_FILE names {path}, which cannot be read: {reason}. Unset it, or "
            f"name a file of {_FORM}."
        ) from None  # an error about the encoding holds the text
    if os.name == "posix" and mode & stat.S_IROTH:
        _warn_of_readers(path)
    return parse_tokens(text, path)


# A warning and not an error, as the secrets of containers are often mounted with mode 0444.
@functools.lru_cache(maxsize=8)
def _warn_of_readers(path: str) -> None:
    logger.warning("All users of this machine may read the tokens in %s: chmod 600 it.", path)
