"""Makes `import tensorflow_hub` import hubmodule, for programs that cannot change imports."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from hubmodule._version import __version__

_PACKAGE = "tensorflow_hub"

# The version of tensorflow_hub that has the same API; programs compare it.
_API_VERSION = "0.15.0"

# Modules of tensorflow_hub that programs import; here, each has all public names.
_SUBMODULES = frozenset(
    {
        "compressed_module_resolver",
        "config",
        "estimator",
        "feature_column",
        "feature_column_v2",
        "file_utils",
        "image_util",
        "keras_layer",
        "meta_graph_lib",
        "module",
        "module_impl",
        "module_spec",
        "module_v2",
        "native_module",
        "registry",
        "resolver",
        "saved_model_lib",
        "saved_model_module",
        "tensor_info",
        "tf_utils",
        "uncompressed_module_resolver",
        "version",
    }
)

# Modules of tensorflow_hub -> the modules that replace them.
_EQUIVALENTS = {
    "image_module_info_pb2": "hubmodule.image_module_info_pb2",
    "module_attachment_pb2": "hubmodule.module_attachment_pb2",
    "module_def_pb2": "hubmodule.module_def_pb2",
    "tf_v1": "tensorflow.compat.v1",
}


def install_alias() -> None:
    """Makes every later `import tensorflow_hub` in this process import hubmodule.

    The modules of tensorflow_hub that programs import, such as tensorflow_hub.native_module,
    have hubmodule's public names; any other name in them raises an error. May be called again.
    Does not change an installed tensorflow_hub.

        >>> hub.install_alias()
        >>> import tensorflow_hub
        >>> tensorflow_hub.Module is hub.Module
        True

    Raises:
        AliasError: If this process has already imported tensorflow_hub itself.
    """
    loaded = sys.modules.get(_PACKAGE)
    if isinstance(loaded, _AliasModule):
        return
    if loaded is not None:
        from hubmodule.errors import AliasError

        raise AliasError(
            f"tensorflow_hub was imported from {loaded.__file__} already; call "
            "hubmodule.install_alias() before the first import of tensorflow_hub"
        )
    sys.meta_path.insert(0, _Finder())
    importlib.import_module(_PACKAGE)


def has_name(name: str) -> bool:
    """Whether programs can use a name of tensorflow_hub under the alias.

    Args:
        name: Full name, e.g. "tensorflow_hub.native_module.Module".
    """
    import hubmodule

    parts = name.split(".")[1:]
    if parts and parts[0] in _EQUIVALENTS:
        return True
    if parts and parts[0] in _SUBMODULES:
        parts = parts[1:]
    return not parts or parts[0] in hubmodule.__all__ or parts[0].startswith("__")


class _AliasModule(ModuleType):
    """A module with a name from tensorflow_hub and the public names of hubmodule."""

    def __getattr__(self, name: str) -> Any:
        import hubmodule

        if name in hubmodule.__all__:
            return getattr(hubmodule, name)
        if self.__name__ == _PACKAGE and (name in _SUBMODULES or name in _EQUIVALENTS):
            return importlib.import_module(f"{_PACKAGE}.{name}")
        raise AttributeError(
            f"module {self.__name__!r} has no attribute {name!r}: hubmodule stands in for "
            "tensorflow_hub, with its public names only"
        )

    def __dir__(self) -> list[str]:
        import hubmodule

        return sorted({*super().__dir__(), *hubmodule.__all__})

    def __reduce__(self) -> tuple[Any, ...]:
        # Programs send functions that use the module to other processes, which may not have the
        # alias yet; unpickling imports it there.
        return _import_alias, (self.__name__,)


def _import_alias(name: str) -> ModuleType:
    """Installs the alias if that is needed, and returns a module of it.

    Args:
        name: Full name of the module, e.g. "tensorflow_hub.native_module".

    Raises:
        AliasError: If this process has imported tensorflow_hub itself.
    """
    install_alias()
    return importlib.import_module(name)


class _Finder(MetaPathFinder, Loader):
    """Finds and loads tensorflow_hub and its modules."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: Any = None
    ) -> ModuleSpec | None:
        package, _, name = fullname.partition(".")
        if package != _PACKAGE:
            return None
        if name and name not in _SUBMODULES and name not in _EQUIVALENTS:
            raise ModuleNotFoundError(
                f"No module named {fullname!r}: hubmodule stands in for tensorflow_hub, and has "
                "no counterpart of this part; it runs with tensorflow_hub itself, as under "
                "'python -m hubmodule run --no-alias'",
                name=fullname,
            )
        # The error "cannot import name" shows the origin.
        return ModuleSpec(fullname, self, origin=__file__, is_package=not name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return _AliasModule(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        import hubmodule

        name = module.__name__.partition(".")[2]
        if name in _EQUIVALENTS:
            # After this method, the import system returns the module in sys.modules.
            sys.modules[module.__name__] = importlib.import_module(_EQUIVALENTS[name])
            return
        module.__file__ = __file__
        module.__doc__ = hubmodule.__doc__
        module.__version__ = f"{_API_VERSION}+hubmodule.{__version__}"  # type: ignore[attr-defined]
        module.__all__ = hubmodule.__all__  # type: ignore[attr-defined]
