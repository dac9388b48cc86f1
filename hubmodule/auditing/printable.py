"""Makes untrusted texts harmless for terminals; needs no TensorFlow."""

from __future__ import annotations


def make_printable(text: str) -> str:
    """Replaces unprintable characters, which a terminal may obey, with Python's escapes for them.

    Args:
        text: A text that may come from a module.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
