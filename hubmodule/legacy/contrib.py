"""`tensorflow.contrib`: every part can be imported; those with a successor work."""

from __future__ import annotations

import contextlib
import importlib
from types import ModuleType
from typing import Any

from hubmodule._plain_errors import ContribUnavailableError
from hubmodule.legacy.contrib_parts import (
    ADVICE,
    PACKAGES,
    PARTS,
    SUCCESSORS,
    find_advice,
)


class ContribPart(ModuleType):
    """A part of `tf.contrib`, such as `tf.contrib.layers`.

    Args:
        path: Its name below `tf.contrib`, e.g. "layers"; "" is `tf.contrib` itself.
    """

    def __init__(self, path: str):
        super().__init__(f"tensorflow.contrib.{path}".rstrip("."))
        self.__path__: list[str] = []
        self._path = path

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        path = f"{self._path}.{name}".lstrip(".")
        if path in PARTS:
            return ContribPart(path)
        if path in SUCCESSORS:
            return _import_object(path, SUCCESSORS[path])
        if self._path in SUCCESSORS and path not in ADVICE:
            return _get_from_successor(path, SUCCESSORS[self._path], name)
        raise make_error(path)

    def __dir__(self) -> list[str]:
        prefix = f"{self._path}." if self._path else ""
        names = {
            path[len(prefix) :].partition(".")[0]
            for path in (*PARTS, *SUCCESSORS, *ADVICE)
            if path.startswith(prefix)
        }
        if self._path in SUCCESSORS:
            with contextlib.suppress(ContribUnavailableError):
                names.update(dir(_import_object(self._path, SUCCESSORS[self._path])))
        return sorted({*super().__dir__(), *names} - {"", "_path"})

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Raises the error of a part that has no successor.

        Raises:
            ContribUnavailableError: Always.
        """
        raise make_error(self._path)

    def __reduce__(self) -> tuple[Any, ...]:
        return ContribPart, (self._path,)


class ImportedNames:
    """What `from tensorflow.contrib.… import …` takes names from.

    Python replaces the error of a missing name by its own, which has no reason in it. So such a
    name gives an object that raises the error when it is used.

    Args:
        part: The part that the program imports from.
    """

    def __init__(self, part: ContribPart):
        self._part = part

    def __getattr__(self, name: str) -> Any:
        try:
            return getattr(self._part, name)
        except ContribUnavailableError as error:
            return _Unavailable(error)


class _Unavailable:
    """Raises an error when it is called, subclassed, or when one of its attributes is used."""

    def __init__(self, error: ContribUnavailableError):
        self._error = error

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise self._error

    def __mro_entries__(self, bases: tuple[Any, ...]) -> Any:
        raise self._error

    def __instancecheck__(self, instance: Any) -> bool:
        # A program may ask for a class that it has made no object of.
        return False

    def __subclasscheck__(self, subclass: type) -> bool:
        return False

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise self._error


def make_error(path: str) -> ContribUnavailableError:
    """Returns the error for a part of `tf.contrib` that does not exist any more.

    Args:
        path: Name below `tf.contrib`, e.g. "layers.optimize_loss".
    """
    return ContribUnavailableError(
        f"tf.contrib.{path} is not available: TensorFlow 2 has no tf.contrib; {find_advice(path)}"
    )


def _get_from_successor(path: str, successor: str, name: str) -> Any:
    """Returns an attribute or a submodule of the module that replaces a part."""
    module = _import_object(path, successor)
    try:
        return getattr(module, name)
    except AttributeError:
        pass
    try:
        return importlib.import_module(f"{module.__name__}.{name}")
    except ImportError:
        raise make_error(path) from None


def _import_object(path: str, target: str) -> Any:
    """Imports the object with a dotted name.

    Args:
        path: Name below `tf.contrib` that the object replaces, for the error.
        target: "package.module" or "package.module:attribute".
    """
    module_name, _, attribute = target.partition(":")
    try:
        found: Any = importlib.import_module(module_name)
        for name in filter(None, attribute.split(".")):
            found = getattr(found, name)
    except ImportError as error:
        package = PACKAGES.get(module_name.partition(".")[0])
        if package is None:
            raise
        raise ContribUnavailableError(
            f"tf.contrib.{path} needs the package {package}, which cannot be imported "
            f"({error}); pip install {package}"
        ) from error
    except AttributeError as error:
        raise ContribUnavailableError(
            f"tf.contrib.{path} is not available: this TensorFlow has no {target} ({error})"
        ) from error
    return found


CONTRIB = ContribPart("")
