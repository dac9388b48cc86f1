"""The exceptions that hubmodule raises.

Each is a HubModuleError, and also the exception type that tensorflow_hub raises in the same
situation, so that programs which catch that type keep working:

    HubModuleError
    ├── TensorFlowUnavailableError (ImportError)         TensorFlow is missing or too old
    ├── ContribUnavailableError (AttributeError)         a part of tf.contrib does not exist
    ├── SourceError (OSError)                            a Python file cannot be read
    ├── SettingError (ValueError)                        a variable or flag has an invalid value
    ├── InvalidHandleError (ValueError, OSError)         a text is not a handle
    ├── HandleNotFoundError (OSError)                    nothing exists at the handle
    ├── DownloadError (urllib.error.URLError)            a download failed
    │   ├── HttpStatusError (urllib.error.HTTPError)     ... the server answered with an error
    │   └── OfflineError                                 ... downloads are turned off
    ├── UncompressedReadError (ValueError)               a server does not name a gs:// path
    ├── ArchiveError (OSError, ValueError)               an archive cannot be unpacked or written
    │   ├── ArchiveDamagedError                          ... it is truncated or corrupt
    │   └── ArchiveRefusedError                          ... its content is not safe to unpack
    ├── LockError (OSError, ValueError)                  a module is not the one of a lock file
    ├── CacheError (OSError)                             the cache directory cannot be used
    │   └── CacheDamagedError                            ... a module in it is damaged
    ├── FactsError (ValueError)                          stored facts cannot be read
    ├── HubError (OSError)                               a hub cannot be read or written
    │   └── VersionTakenError (FileExistsError)          ... a version is another module already
    ├── PublishError (ValueError)                        a module may not be published as it is
    ├── ServerAddressError (OSError)                     a server cannot listen at an address
    ├── ExtraMissingError (ImportError)                  a package for this part is missing
    ├── ModuleFormatError (ValueError)                   a directory cannot be read as a module
    │   └── NotAModuleError (tf.errors.NotFoundError)    ... it is something else
    ├── ModuleRefusedError (PermissionError)             HUBMODULE_AUDIT refuses a module
    ├── CheckpointError (ValueError, tf.errors.NotFoundError)
    │                                                    a checkpoint lacks what a module needs
    ├── UnregisteredOpsError (tf.errors.NotFoundError)   this process does not know some ops
    ├── ModuleDefinitionError (ValueError)               a module_fn does not make a valid module
    ├── ColocationError (ValueError)                     colocation constraints cannot hold
    ├── NoSuchVariantError (KeyError, ValueError)        no graph variant has these tags
    ├── NoSuchSignatureError (KeyError, ValueError)      no signature has this name
    ├── NoSuchAttachmentError (KeyError)                 no message is attached under this key
    ├── SignatureMismatchError (TypeError, ValueError)   inputs or outputs differ from a signature
    ├── ElementError (ValueError)                        an element of a pipeline fails
    ├── GraphError (RuntimeError)                        a module is in another graph, or in none
    ├── ScopeError (RuntimeError)                        the scope of a module is taken
    ├── VariableValueError (ValueError)                  values differ from a module's variables
    ├── ExportExistsError (FileExistsError, tf.errors.AlreadyExistsError)
    │                                                    an export would replace files
    ├── NotSerializableError (NotImplementedError)       a layer does not have a config
    ├── BackendError (ImportError)                       a layer cannot run in this Keras
    ├── EstimatorUnavailableError (ImportError)          tf.estimator is not available
    ├── TpuUnavailableError (NotImplementedError)        TensorFlow no longer supports this on TPU
    ├── ColumnConfigError (NotImplementedError)          a feature column does not have a config
    └── AliasError (ImportError)                         tensorflow_hub is already imported
"""

from __future__ import annotations

import tensorflow as tf

from hubmodule._plain_errors import ArchiveDamagedError as ArchiveDamagedError
from hubmodule._plain_errors import ArchiveError as ArchiveError
from hubmodule._plain_errors import ArchiveRefusedError as ArchiveRefusedError
from hubmodule._plain_errors import CacheDamagedError as CacheDamagedError
from hubmodule._plain_errors import CacheError as CacheError
from hubmodule._plain_errors import ContribUnavailableError as ContribUnavailableError
from hubmodule._plain_errors import DownloadError as DownloadError
from hubmodule._plain_errors import ExtraMissingError as ExtraMissingError
from hubmodule._plain_errors import FactsError as FactsError
from hubmodule._plain_errors import HandleNotFoundError as HandleNotFoundError
from hubmodule._plain_errors import HttpStatusError as HttpStatusError
from hubmodule._plain_errors import HubError as HubError
from hubmodule._plain_errors import HubModuleError as HubModuleError
from hubmodule._plain_errors import InvalidHandleError as InvalidHandleError
from hubmodule._plain_errors import LockError as LockError
from hubmodule._plain_errors import OfflineError as OfflineError
from hubmodule._plain_errors import PublishError as PublishError
from hubmodule._plain_errors import ServerAddressError as ServerAddressError
from hubmodule._plain_errors import SettingError as SettingError
from hubmodule._plain_errors import SourceError as SourceError
from hubmodule._plain_errors import TensorFlowUnavailableError as TensorFlowUnavailableError
from hubmodule._plain_errors import UncompressedReadError as UncompressedReadError
from hubmodule._plain_errors import VersionTakenError as VersionTakenError


class ModuleFormatError(HubModuleError, ValueError):
    """A directory cannot be read as a module."""


class NotAModuleError(ModuleFormatError, tf.errors.NotFoundError):
    """A path is not a TF1 Hub module, or not a SavedModel."""

    def __init__(self, message: str):
        tf.errors.NotFoundError.__init__(self, None, None, message)
        self.args = (message,)


class ModuleRefusedError(HubModuleError, PermissionError):
    """A module can do more than compute, and HUBMODULE_AUDIT is "refuse"."""


class ModuleDefinitionError(HubModuleError, ValueError):
    """A module_fn, or an argument, does not make a valid module."""


class ColocationError(HubModuleError, ValueError):
    """Colocation constraints contradict each other, or a module may not have them."""


class NoSuchVariantError(HubModuleError, KeyError, ValueError):
    """A module has no graph variant with these tags."""


class NoSuchSignatureError(HubModuleError, KeyError, ValueError):
    """A graph variant has no signature of this name."""


class NoSuchAttachmentError(HubModuleError, KeyError):
    """Nothing is attached to a graph variant under this key."""


class SignatureMismatchError(HubModuleError, TypeError, ValueError):
    """Values have other names, types or shapes than a signature, or an output does not exist."""


class UnregisteredOpsError(HubModuleError, tf.errors.NotFoundError):
    """A module needs ops that no imported package has registered."""

    def __init__(self, message: str):
        tf.errors.NotFoundError.__init__(self, None, None, message)
        self.args = (message,)


class ElementError(HubModuleError, ValueError):
    """A module cannot compute an element of a pipeline."""


class GraphError(HubModuleError, RuntimeError):
    """A module is used in a graph other than its own, or outside of a graph."""


class ScopeError(HubModuleError, RuntimeError):
    """A module's variable scope and name scope cannot have the same name."""


class EstimatorUnavailableError(HubModuleError, ImportError):
    """`tf.estimator` is not available: a package is missing, or Keras 3 is in use."""


class TpuUnavailableError(HubModuleError, NotImplementedError):
    """A part of `tf.estimator` needs TPU support that TensorFlow no longer has."""


class ColumnConfigError(HubModuleError, NotImplementedError):
    """A feature column does not have a config, because its module is given by a ModuleSpec."""


class AliasError(HubModuleError, ImportError):
    """`tensorflow_hub` is already imported, so hubmodule cannot take its name."""


class CheckpointError(HubModuleError, ValueError, tf.errors.NotFoundError):
    """A checkpoint cannot be read, or lacks a variable that a module needs."""

    def __init__(self, message: str):
        tf.errors.NotFoundError.__init__(self, None, None, message)
        self.args = (message,)


class VariableValueError(HubModuleError, ValueError):
    """Values have other names, dtypes or shapes than the variables of a module."""


class ExportExistsError(HubModuleError, FileExistsError, tf.errors.AlreadyExistsError):
    """An export would replace existing files."""

    def __init__(self, message: str):
        tf.errors.AlreadyExistsError.__init__(self, None, None, message)
        self.args = (message,)


class NotSerializableError(HubModuleError, NotImplementedError):
    """A layer does not have a config from which it could be made again."""


class BackendError(HubModuleError, ImportError):
    """The backend of Keras is not TensorFlow."""
