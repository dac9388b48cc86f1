"""Changes addresses: adds the format to ask for, follows redirects, removes secrets."""

from __future__ import annotations

import functools
import re
import urllib.parse

# Greedy, as a password may hold an "@": the host comes after the last one.
_USER = re.compile(r"^([a-zA-Z][a-zA-Z0-9+.\-]*://)[^/?#]*@")
# A malformed address may have spaces before the "@".
_ANY_USER = re.compile(r"://(\S*|[^/?#\n]*)@")
# Of an address whose scheme was forgotten; a "?" in a path has no "=" after it.
_BARE_QUERY = re.compile(r"\?[^?]*=.*", re.DOTALL)
_ANY_QUERY = re.compile(r"\?\S*")
_PIN = re.compile(r"#sha256=[0-9a-fA-F]{64}$")
_FORMAT_QUERY = re.compile(r"\?tf-hub-format=\w+(?=#|$)")
# Query parameters that sign an address, in Amazon S3, Google Cloud Storage, Azure, CloudFront,
# and the second version of the first two.
_SIGNATURES = ("x-amz-signature", "x-goog-signature", "sig", "signature")
_FRONT_PAGES = ("", "/models")


def set_format(url: str, wanted: str) -> str:
    """Sets `tf-hub-format=<wanted>` in the query of an address; leaves the rest as it is."""
    parts = urllib.parse.urlsplit(url)
    kept = [part for part in parts.query.split("&") if part]
    kept = [part for part in kept if part.partition("=")[0] != "tf-hub-format"]
    query = "&".join([*kept, f"tf-hub-format={wanted}"])
    return urllib.parse.urlunsplit(parts._replace(query=query, fragment=""))


def accepts_format(url: str, archive_suffixes: tuple[str, ...]) -> bool:
    """Whether `tf-hub-format` may be added to an address to ask for an archive.

    It would break the signature of a signed address, and the address of an archive does not
    need it.

    Args:
        url: Address without a pin.
        archive_suffixes: Ends of the names of archives, e.g. ".tar.gz".
    """
    parts = urllib.parse.urlsplit(url)
    names = {part.partition("=")[0].lower() for part in parts.query.split("&")}
    return names.isdisjoint(_SIGNATURES) and not parts.path.endswith(archive_suffixes)


def is_web(text: str) -> bool:
    """Whether a text is an http(s) address."""
    return text[:8].lower().startswith(("http://", "https://"))


def remove_user(url: str) -> str:
    """Removes the user name and the password from an address."""
    return _USER.sub(r"\1", url)


def get_origin(url: str) -> tuple[str, str, int | None]:
    """Returns the scheme, the host and the port of an address; ("", "", None) if it is invalid."""
    try:
        parts = urllib.parse.urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return "", "", None
    return parts.scheme, parts.hostname or "", port


# A handle is resolved again and again.
@functools.lru_cache(maxsize=128)
def redact(url: str) -> str:
    """Removes user names, passwords and queries from a handle or address; a pin stays."""
    if "://" not in url:
        return _BARE_QUERY.sub("", url)
    pin = _PIN.search(url)
    address = re.split("[?#]", remove_user(url), maxsplit=1)[0]
    return address + (pin[0] if pin else "")


def redact_all(text: str) -> str:
    """Removes everything that may be secret from an error of a library or an invalid address."""
    return _ANY_QUERY.sub("", _ANY_USER.sub("://", text))


def has_secrets(url: str) -> bool:
    """Whether `redact` removes from a handle what may be secret, which a format is not."""
    return redact(url) != _FORMAT_QUERY.sub("", url)


def escape_controls(text: str) -> str:
    """Escapes the control characters in a text from a server, which a terminal would obey."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def follow_redirect(url: str, location: str) -> tuple[str, str | None]:
    """Returns where a redirect leads, and the reason not to follow it, or None.

    A redirect may change http to https, but not https to http, which would remove the
    protection that the user asked for, and not lead to file:///etc/passwd. The user name and
    password are kept if the host is the same.
    """
    try:
        target = urllib.parse.urljoin(url, location)
        old, new = urllib.parse.urlsplit(url), urllib.parse.urlsplit(target)
    except ValueError:
        return location, "that is not a valid address"
    if new.scheme not in ("http", "https"):
        return target, f"{new.scheme}:// is not followed"
    if old.scheme == "https" and new.scheme == "http":
        return target, "https:// is not left for http://"
    if new.netloc == old.netloc.rpartition("@")[2]:
        target = new._replace(netloc=old.netloc).geturl()
    return target, None


def is_kaggle(url: str) -> bool:
    """Whether an address is one of Kaggle's."""
    return urllib.parse.urlsplit(url).hostname in ("kaggle.com", "www.kaggle.com")


def is_kaggle_front_page(url: str) -> bool:
    """Whether an address is the page that Kaggle shows for a deleted model."""
    return is_kaggle(url) and urllib.parse.urlsplit(url).path.rstrip("/") in _FRONT_PAGES
