"""What hubmodule raises.

Each error is a HubModuleError, and also the built-in or TensorFlow type that
programs written for tensorflow_hub catch at that place:

    HubModuleError
    ├── HandleNotFoundError (OSError)                    nothing is where the handle points
    ├── InvalidHandleError (ValueError, OSError)         a text that is no handle
    ├── DownloadError (urllib.error.URLError)            what could not be fetched
    │   ├── HttpStatusError (urllib.error.HTTPError)     ... because a server said no
    │   └── OfflineError                                 ... because fetching is switched off
    ├── UncompressedReadError (ValueError)               a server that does not say where to read
    ├── ArchiveError (OSError, ValueError)               an archive that cannot be unpacked
    │   ├── ArchiveDamagedError                          ... because it is cut off or corrupt
    │   └── ArchiveRefusedError                          ... because it holds what is not safe
    ├── CacheError (OSError)                             a cache directory that cannot be used
    │   └── CacheDamagedError                            ... a module there that lost a file
    ├── FileSystemUnavailableError (ImportError)         a file system that needs TensorFlow
    ├── SettingError (ValueError)                        a variable or flag that means nothing
    ├── ModuleFormatError (ValueError)                   a directory that cannot be read as a module
    │   └── NotAModuleError (tf.errors.NotFoundError)    ... because it is something else
    ├── ModuleDefinitionError (ValueError)               a module_fn that makes no valid module
    ├── ColocationError (ValueError)                     colocation constraints that cannot hold
    ├── NoSuchVariantError (KeyError, ValueError)        tags that no graph variant has
    ├── NoSuchSignatureError (KeyError, ValueError)      a name that no signature has
    ├── NoSuchAttachmentError (KeyError)                 a key under which nothing is attached
    ├── SignatureMismatchError (TypeError, ValueError)   inputs or outputs that do not fit
    ├── UnregisteredOpsError (tf.errors.NotFoundError)   ops that this process does not know
    ├── GraphError (RuntimeError)                        a module in another graph, or in none
    ├── ScopeError (RuntimeError)                        a module whose names are taken
    ├── EstimatorUnavailableError (ImportError)          tf.estimator cannot be had here
    ├── TpuUnavailableError (NotImplementedError)        a part of tf.estimator that is for TPUs
    ├── ColumnConfigError (NotImplementedError)          a feature column that no config describes
    ├── AliasError (ImportError)                         tensorflow_hub is there already
    ├── CheckpointError (ValueError, tf.errors.NotFoundError)
    │                                                    a checkpoint without what a module needs
    ├── VariableValueError (ValueError)                  values that do not fit a module's variables
    ├── NotSerializableError (NotImplementedError)       a layer that has no config
    ├── BackendError (ImportError)                       a Keras that a layer cannot run in
    └── ExportExistsError (FileExistsError, tf.errors.AlreadyExistsError)
                                                         an export onto something that is there
"""

from __future__ import annotations

import tensorflow as tf

from hubmodule._plain_errors import ArchiveDamagedError as ArchiveDamagedError
from hubmodule._plain_errors import ArchiveError as ArchiveError
from hubmodule._plain_errors import ArchiveRefusedError as ArchiveRefusedError
from hubmodule._plain_errors import CacheDamagedError as CacheDamagedError
from hubmodule._plain_errors import CacheError as CacheError
from hubmodule._plain_errors import DownloadError as DownloadError
from hubmodule._plain_errors import FileSystemUnavailableError as FileSystemUnavailableError
from hubmodule._plain_errors import HandleNotFoundError as HandleNotFoundError
from hubmodule._plain_errors import HttpStatusError as HttpStatusError
from hubmodule._plain_errors import HubModuleError as HubModuleError
from hubmodule._plain_errors import InvalidHandleError as InvalidHandleError
from hubmodule._plain_errors import OfflineError as OfflineError
from hubmodule._plain_errors import SettingError as SettingError
from hubmodule._plain_errors import UncompressedReadError as UncompressedReadError


class ModuleFormatError(HubModuleError, ValueError):
    """A directory cannot be read as a module."""


class NotAModuleError(ModuleFormatError, tf.errors.NotFoundError):
    """A directory is something else than a TF1 Hub module."""

    def __init__(self, message: str):
        tf.errors.NotFoundError.__init__(self, None, None, message)
        self.args = (message,)


class ModuleDefinitionError(HubModuleError, ValueError):
    """A module_fn, or what it declares, makes no valid module."""


class ColocationError(HubModuleError, ValueError):
    """Colocation constraints contradict each other, or what a module may constrain."""


class NoSuchVariantError(HubModuleError, KeyError, ValueError):
    """A module has no graph variant with these tags."""


class NoSuchSignatureError(HubModuleError, KeyError, ValueError):
    """A graph variant has no signature of this name."""


class NoSuchAttachmentError(HubModuleError, KeyError):
    """Nothing is attached to a graph variant under this key."""


class SignatureMismatchError(HubModuleError, TypeError, ValueError):
    """Values do not fit the inputs of a signature, or an output that it lacks is wanted."""


class UnregisteredOpsError(HubModuleError, tf.errors.NotFoundError):
    """A module needs ops that no imported package has registered."""

    def __init__(self, message: str):
        tf.errors.NotFoundError.__init__(self, None, None, message)
        self.args = (message,)


class GraphError(HubModuleError, RuntimeError):
    """A module is used in another graph than its own, or where there is no graph."""


class ScopeError(HubModuleError, RuntimeError):
    """A module cannot have the same name as variable scope and as name scope."""


class EstimatorUnavailableError(HubModuleError, ImportError):
    """`tf.estimator` cannot be had: a package is missing, or Keras 3 is in its place."""


class TpuUnavailableError(HubModuleError, NotImplementedError):
    """A part of `tf.estimator` needs TPU support that TensorFlow no longer has."""


class ColumnConfigError(HubModuleError, NotImplementedError):
    """A feature column has no config, as its module is given by a ModuleSpec."""


class AliasError(HubModuleError, ImportError):
    """`tensorflow_hub` was imported already, so hubmodule cannot take its name."""


class CheckpointError(HubModuleError, ValueError, tf.errors.NotFoundError):
    """A checkpoint cannot be read, or lacks a variable that a module needs."""

    def __init__(self, message: str):
        tf.errors.NotFoundError.__init__(self, None, None, message)
        self.args = (message,)


class VariableValueError(HubModuleError, ValueError):
    """Values do not fit the variables of a module."""


class ExportExistsError(HubModuleError, FileExistsError, tf.errors.AlreadyExistsError):
    """An export would replace what is there already."""

    def __init__(self, message: str):
        tf.errors.AlreadyExistsError.__init__(self, None, None, message)
        self.args = (message,)


class NotSerializableError(HubModuleError, NotImplementedError):
    """A layer cannot say how to make it again."""


class BackendError(HubModuleError, ImportError):
    """The Keras that a program uses is missing, or computes with something else."""
