"""Says of a name that a program uses why it does not work today, and what to do."""

from __future__ import annotations

import functools
import glob
import importlib.metadata
import importlib.util
import os
import re
import sys
import tokenize
from collections.abc import Sequence

from hubmodule import alias
from hubmodule.legacy import api_names, contrib_parts, private_names, replaced_modules


def explain_name(name: str, is_import: bool) -> str | None:
    """Returns why a name does not work and what to do, or None if it works or is unknown.

    Args:
        name: Full name, e.g. "tensorflow.contrib.layers.conv2d".
        is_import: Whether the program imports it; else it uses it.
    """
    replaced = _find_prefix(name, replaced_modules.REPLACED)
    if replaced is not None and not _is_back(replaced):
        return replaced_modules.REPLACED[replaced]
    top = name.partition(".")[0]
    if top == "tensorflow":
        # Every part of tf.contrib can be imported; to use one may fail.
        is_harmless = is_import and name.startswith("tensorflow.contrib")
        return None if is_harmless else _explain_tensorflow(name)
    if top == "tensorflow_hub":
        return _explain_tensorflow_hub(name)
    return None


def find_api_version(name: str) -> int | None:
    """Returns the version of TensorFlow's API that alone has a name, or None.

    Args:
        name: Full name, e.g. "tensorflow.placeholder".
    """
    if not name.startswith("tensorflow.") or name.startswith("tensorflow.compat."):
        return None
    path = name.partition(".")[2]
    if path.partition(".")[0] == "contrib" or private_names.is_moved(name):
        return 1
    if _is_listed(path, api_names.TENSORFLOW_1_ONLY):
        return 1
    return 2 if _is_listed(path, api_names.TENSORFLOW_2_ONLY) else None


def is_importable(top: str) -> bool:
    """Whether a top-level module is installed; imports nothing.

    Args:
        top: Name of the module.
    """
    if top in sys.modules or top in sys.builtin_module_names or top == "tensorflow_hub":
        return True
    try:
        return importlib.util.find_spec(top) is not None
    except (ImportError, ValueError):
        return False


def _explain_tensorflow(name: str) -> str | None:
    path = _strip_tensorflow(name)
    if path.startswith("contrib."):
        return _explain_contrib(path.partition(".")[2])
    if path.startswith("python."):
        return _explain_private(name)
    if path.startswith("estimator.BoostedTrees"):
        return "TensorFlow dropped its kernels; use the package tensorflow-decision-forests"
    if _is_listed(path, api_names.DROPPED):
        return "TensorFlow 2 dropped it, also from tf.compat.v1; remove this use"
    return None


def _explain_contrib(path: str) -> str | None:
    """Explains a name below `tf.contrib`."""
    if path in contrib_parts.PARTS:
        return None
    prefix = _find_prefix(path, {**contrib_parts.SUCCESSORS, **contrib_parts.ADVICE})
    target = contrib_parts.SUCCESSORS.get(prefix or "")
    member = ".".join(path.split(".")[:2])
    if target is None or member in api_names.CONTRIB_WITHOUT_SUCCESSOR:
        return f"TensorFlow 2 has no tf.contrib; {contrib_parts.find_advice(path)}"
    top = target.split(":")[0].split(".")[0]
    package = contrib_parts.PACKAGES.get(top)
    if package is not None and not is_importable(top):
        return f"it needs the package {package}; pip install {package}"
    return None


def _explain_private(name: str) -> str | None:
    """Explains a name of TensorFlow's implementation that does not exist any more."""
    spec = importlib.util.find_spec("tensorflow")
    if spec is None or not spec.submodule_search_locations or private_names.is_moved(name):
        return None
    if _may_exist(spec.submodule_search_locations[0], name.split(".")[1:]):
        return None
    return "this TensorFlow does not have it; it was never public, use the public API"


def _may_exist(package: str, parts: Sequence[str]) -> bool:
    """Whether a package may have a name; reads its files and imports nothing.

    Args:
        package: Directory of the package.
        parts: The name below the package, split at its dots.
    """
    part, *rest = parts
    path = os.path.join(package, part)
    if os.path.isdir(path):
        return not rest or _may_exist(path, rest)
    if os.path.isfile(f"{path}.py"):
        return not rest or _mentions(f"{path}.py", rest[0])
    # It may also be an extension module, or a name in the package itself.
    return bool(glob.glob(f"{glob.escape(path)}.*")) or _mentions(
        os.path.join(package, "__init__.py"), part
    )


@functools.cache
def _mentions(path: str, name: str) -> bool:
    """Whether a Python file has a name in its text, or names that cannot be told from it."""
    try:
        with tokenize.open(path) as file:
            text = file.read()
    except OSError:
        return False
    return re.search(rf"\b{re.escape(name)}\b|import \*|__getattr__", text) is not None


def _explain_tensorflow_hub(name: str) -> str | None:
    if alias.has_name(name):
        return None
    return "hubmodule has the public names of tensorflow_hub only; use one of those"


def _is_listed(path: str, names: frozenset[str]) -> bool:
    """Whether a name is in a list of api_names, itself or by one of its modules."""
    parts = path.split(".")
    prefixes = [".".join(parts[:end]) for end in range(1, len(parts) + 1)]
    return any(prefix in names or f"{prefix}." in names for prefix in prefixes)


def _strip_tensorflow(name: str) -> str:
    path = name.partition(".")[2]
    return path.removeprefix("compat.v1.")


def _find_prefix(name: str, table: dict[str, str]) -> str | None:
    """Returns the longest part of a dotted name that a table has, or None."""
    while name and name not in table:
        name = name.rpartition(".")[0]
    return name or None


def _is_back(name: str) -> bool:
    if name not in replaced_modules.SINCE_NUMPY_2:
        return False
    try:
        return int(importlib.metadata.version("numpy").partition(".")[0]) >= 2
    except importlib.metadata.PackageNotFoundError:
        return False
