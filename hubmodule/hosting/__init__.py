"""A hub of one's own: publishes modules into a directory, and shows and serves what is there.

from hubmodule.hosting import publish
"""

from __future__ import annotations

from hubmodule.hosting.publishing import Publication as Publication
from hubmodule.hosting.publishing import publish as publish

__all__ = ["Publication", "publish"]
