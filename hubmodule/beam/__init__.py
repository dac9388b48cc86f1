"""Modules on Apache Beam: a handler for RunInference, and embeddings for MLTransform.

It needs the package apache-beam, which the extra "beam" installs.
"""

from __future__ import annotations

import importlib.util

from hubmodule._plain_errors import ExtraMissingError

if importlib.util.find_spec("apache_beam") is None:
    raise ExtraMissingError(
        "hubmodule.beam needs apache_beam, which is not installed: pip install 'hubmodule[beam]'"
    )

from hubmodule.beam.embeddings import ModuleEmbeddings
from hubmodule.beam.handler import ModuleHandler

__all__ = ["ModuleEmbeddings", "ModuleHandler"]
