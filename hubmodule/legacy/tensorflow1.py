"""Makes `import tensorflow` in a program's own files import the API of TensorFlow 1."""

from __future__ import annotations

import builtins
import functools
import importlib
import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from types import FrameType, ModuleType
from typing import Any

from hubmodule.legacy import contrib, keras_layers, private_names
from hubmodule.legacy.own_files import OwnFiles
from hubmodule.legacy.replaced_modules import REPLACED

_TENSORFLOW = "tensorflow"

# The files whose imports the functions below change.
_own_files = OwnFiles()

# Parts of TensorFlow that TensorFlow 1 had under the same name, and those of both APIs.
_SAME = ("compat", "core", "python", "tools")


def use_tensorflow_1(own_files: OwnFiles) -> None:
    """Makes every later `import tensorflow` in these files import the API of TensorFlow 1.

    It is `tensorflow.compat.v1` with `tf.contrib`; the first import turns off the behaviour of
    TensorFlow 2 in this process. All other files import TensorFlow as it is. Does not import
    TensorFlow itself. May be called again, for more files.

    Args:
        own_files: The files of the program.
    """
    _own_files.add(own_files)
    _replace_import_functions()


@functools.cache
def make_tensorflow_1() -> ModuleType:
    """Returns the module that programs import as `tensorflow`.

    The first call imports TensorFlow and turns off its version 2 behaviour.
    """
    v1 = importlib.import_module("tensorflow.compat.v1")
    _disable_v2_behavior(v1)
    private_names.restore_moved_names(v1)
    return _TensorFlow1(v1)


@functools.cache
def _replace_import_functions() -> None:
    """Replaces the two functions that import modules for Python code, once per process."""
    builtins.__import__ = _make_import(builtins.__import__)
    importlib.import_module = _make_import_module(importlib.import_module)
    keras_layers.mend_batch_normalization()


def _make_import(original: Callable[..., Any]) -> Callable[..., Any]:
    """Makes an `__import__` that differs for imports of TensorFlow in own files."""

    # Python calls it for every import statement that it runs: it is as short as it can be.
    @functools.wraps(original)
    def import_(
        name: str,
        globals: Mapping[str, Any] | None = None,
        locals: Mapping[str, Any] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> Any:
        # pytest and IPython leave frames with this variable out of tracebacks.
        __tracebackhide__ = True
        if _TENSORFLOW in name and not level and _is_changed(name, globals):
            return _import_tensorflow_1(name, tuple(fromlist or ()))
        return original(name, globals, locals, fromlist, level)

    return import_


def _make_import_module(original: Callable[..., Any]) -> Callable[..., Any]:
    """Makes an `importlib.import_module` that differs for imports of TensorFlow in own files."""

    @functools.wraps(original)
    def import_module(name: str, package: str | None = None) -> Any:
        __tracebackhide__ = True
        if _TENSORFLOW in name and _is_changed(name, None):
            return _find_module(name)
        return original(name, package)

    return import_module


def _is_changed(name: str, namespace: Mapping[str, Any] | None) -> bool:
    """Whether an import gives TensorFlow 1.

    Args:
        name: Full name of the module to import.
        namespace: Global variables of the code that imports it; None are those of the function
            that called the caller of this one.
    """
    if name.partition(".")[0] != _TENSORFLOW:
        return False
    if namespace is None:
        namespace = sys._getframe(2).f_globals
    if _own_files.has_module(namespace):
        return True
    # exec() runs code with global variables of its own: it belongs to the caller of exec().
    return "__file__" not in namespace and _own_files.has_module(_find_caller(namespace))


class _TensorFlow1(ModuleType):
    """`tensorflow.compat.v1` with `contrib`, under the name `tensorflow`."""

    def __init__(self, v1: ModuleType):
        super().__init__(_TENSORFLOW, v1.__doc__)
        tensorflow = sys.modules[_TENSORFLOW]
        self.__file__ = tensorflow.__file__
        self.__path__ = tensorflow.__path__
        self.__spec__ = tensorflow.__spec__
        self.__loader__ = tensorflow.__loader__
        self.__package__ = _TENSORFLOW
        self.contrib = contrib.CONTRIB
        self._v1 = v1

    def __getattr__(self, name: str) -> Any:
        if name == "__all__":
            return [name for name in ("contrib", *dir(self._v1)) if not name.startswith("_")]
        if name in _SAME:
            return getattr(sys.modules[_TENSORFLOW], name)
        try:
            return getattr(self._v1, name)
        except AttributeError:
            raise AttributeError(
                f"module 'tensorflow' has no attribute {name!r}: it is not in tensorflow.compat.v1"
            ) from None

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *dir(self._v1)} - {"_v1"})

    def __reduce__(self) -> tuple[Any, ...]:
        return make_tensorflow_1, ()


def _find_caller(namespace: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Returns the global variables of what runs the code with these; None if nothing does."""
    frame: FrameType | None = sys._getframe()
    while frame is not None and frame.f_globals is not namespace:
        frame = frame.f_back
    while frame is not None and frame.f_globals is namespace:
        frame = frame.f_back
    return None if frame is None else frame.f_globals


def _import_tensorflow_1(name: str, fromlist: Sequence[str]) -> Any:
    """Does what `__import__` does, with TensorFlow 1.

    Args:
        name: Full name of the module to import, e.g. "tensorflow.contrib.layers".
        fromlist: Names that the program imports from the module; if there are none, the
            top-level module is returned, as for `import a.b`.
    """
    __tracebackhide__ = True
    module = _find_module(name)
    if not fromlist:
        return make_tensorflow_1()
    if isinstance(module, contrib.ContribPart):
        return contrib.ImportedNames(module)
    for imported in fromlist:
        _import_submodule(module, imported)
    return module


def _find_module(name: str) -> Any:
    """Returns a module of TensorFlow 1; imports it if it was not imported yet.

    Args:
        name: Full name of the module.
    """
    __tracebackhide__ = True
    module: Any = make_tensorflow_1()
    path = _TENSORFLOW
    for part in name.split(".")[1:]:
        path = f"{path}.{part}"
        module = _import_part(module, part, path)
    return module


def _import_part(module: Any, part: str, path: str) -> Any:
    """Returns a part of a module; imports it if it is a submodule that was not imported yet."""
    try:
        return getattr(module, part)
    except AttributeError:
        if isinstance(module, contrib.ContribPart):
            # Its use raises the error, which has the reason in it.
            return contrib.ContribPart(path.removeprefix("tensorflow.contrib."))
        if path in REPLACED:
            raise ModuleNotFoundError(
                f"No module named {path!r}: {REPLACED[path]}", name=path
            ) from None
        # A part of tf.contrib may be a module of another package.
        is_contrib = path.startswith("tensorflow.contrib.")
        return importlib.import_module(f"{module.__name__}.{part}" if is_contrib else path)


def _import_submodule(module: Any, name: str) -> None:
    """Imports `name` if it is a submodule that is not an attribute of its package yet."""
    is_imported = isinstance(module, _TensorFlow1) or hasattr(module, name)
    if not is_imported and isinstance(module, ModuleType):
        try:
            importlib.import_module(f"{module.__name__}.{name}")
        except ModuleNotFoundError as error:
            if error.name != f"{module.__name__}.{name}":
                raise


def _disable_v2_behavior(v1: Any) -> None:
    """Turns off the behaviour of TensorFlow 2, without its deprecation warning."""
    logger = logging.getLogger("tensorflow")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        v1.disable_v2_behavior()
    finally:
        logger.setLevel(level)


def remove_importer_frames(traceback: Any) -> Any:
    """Returns a traceback without the frames of this file.

    Args:
        traceback: The first entry of a traceback, or None.
    """
    entries = []
    while traceback is not None:
        if os.path.realpath(traceback.tb_frame.f_code.co_filename) != os.path.realpath(__file__):
            entries.append(traceback)
        traceback = traceback.tb_next
    following = None
    for entry in reversed(entries):
        following = type(entry)(following, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
    return following
