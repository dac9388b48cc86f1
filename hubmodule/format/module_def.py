"""tfhub_module.pb: the file that tells a TF1 Hub module from a plain SavedModel."""

from __future__ import annotations

import posixpath

import tensorflow as tf
from google.protobuf.message import DecodeError

from hubmodule import files, module_def_pb2
from hubmodule._version import __version__
from hubmodule.errors import ModuleFormatError

FILE_NAME = "tfhub_module.pb"

_SUPPORTED_FEATURES = frozenset()  # type: frozenset[str]


def is_module(directory: str) -> bool:
    """Whether a directory has the file that makes it a TF1 Hub module."""
    return tf.io.gfile.exists(posixpath.join(directory, FILE_NAME))


def check(directory: str) -> None:
    """Checks that this version can read the module in a directory.

    Raises:
        ModuleFormatError: If the module needs a format or a feature that this version does not
            know, or tfhub_module.pb cannot be read.
    """
    module_def = _read(posixpath.join(directory, FILE_NAME))
    if module_def.format != module_def_pb2.ModuleDef.FORMAT_V3:
        raise ModuleFormatError(
            f"Module at {directory} has format {module_def.format}; hubmodule {__version__} reads "
            f"format {module_def_pb2.ModuleDef.FORMAT_V3}. Upgrade hubmodule, or export it again."
        )
    unknown = sorted(set(module_def.required_features) - _SUPPORTED_FEATURES)
    if unknown:
        raise ModuleFormatError(
            f"Module at {directory} needs features {unknown}, which hubmodule {__version__} "
            "cannot read; upgrade hubmodule."
        )


def write(directory: str) -> None:
    """Marks a directory as a TF1 Hub module."""
    module_def = module_def_pb2.ModuleDef(format=module_def_pb2.ModuleDef.FORMAT_V3)
    files.write_bytes(posixpath.join(directory, FILE_NAME), module_def.SerializeToString())


def _read(path: str) -> module_def_pb2.ModuleDef:
    try:
        return module_def_pb2.ModuleDef.FromString(files.read_bytes(path))
    except (DecodeError, tf.errors.FailedPreconditionError) as error:  # the second: a directory
        raise ModuleFormatError(f"{path} is damaged: {error}. Fetch the module again.") from error
