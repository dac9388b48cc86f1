"""`tf.contrib.training.HParams`: named hyperparameters of a model, each with a type."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

# name=value or name[index]=value; a value is a list in brackets, or ends at a comma.
_ASSIGNMENT = re.compile(
    r"(?P<name>[a-zA-Z][\w.]*)(\[\s*(?P<index>\d+)\s*\])?\s*=\s*"
    r"(\[(?P<list>[^\]]*)\]|(?P<value>[^,\[]*))\s*(,|$)"
)
_TRUTH = {"true": True, "1": True, "false": False, "0": False}


class HParams:
    """Named values that are read as attributes and changed from a text, a dict or JSON.

    Args:
        hparam_def: Not supported; must be None.
        model_structure: Any value, kept for `get_model_structure()`.
        **kwargs: The hyperparameters and their default values. The type of a value, or of the
            first item of a list, is the type of its parameter.
    """

    def __init__(self, hparam_def: Any = None, model_structure: Any = None, **kwargs: Any):
        if hparam_def is not None:
            raise ValueError("hparam_def is not supported; pass the values as keyword arguments")
        self._types: dict[str, tuple[type, bool]] = {}
        self._model_structure = model_structure
        for name, value in kwargs.items():
            self.add_hparam(name, value)

    def add_hparam(self, name: str, value: Any) -> None:
        """Adds a hyperparameter.

        Args:
            name: Its name, which must not be an attribute already.
            value: Its default value, or a list of values that is not empty.

        Raises:
            ValueError: If the name is taken, or the list is empty.
        """
        if getattr(self, name, None) is not None:
            raise ValueError(f"{name!r} is an attribute of HParams already; use another name")
        if isinstance(value, (list, tuple)):
            if not value:
                raise ValueError(f"the list {name!r} is empty, so it has no type")
            self._types[name] = type(value[0]), True
        else:
            self._types[name] = type(value), False
        setattr(self, name, value)

    def del_hparam(self, name: str) -> None:
        """Removes a hyperparameter; does nothing if there is none of this name."""
        if name in self._types:
            del self._types[name]
            delattr(self, name)

    def set_hparam(self, name: str, value: Any) -> None:
        """Sets a hyperparameter.

        Args:
            name: Name of a hyperparameter that was added before.
            value: The new value, which is converted to the type of the parameter.

        Raises:
            KeyError: If there is no hyperparameter of this name.
            ValueError: If the value has another type, or is a list where none is expected.
        """
        kind, is_list = self._types[name]
        if isinstance(value, (list, tuple)) != is_list:
            expected = "a list" if is_list else "one value"
            raise ValueError(f"hyperparameter {name!r} takes {expected}, not {value!r}")
        if is_list:
            setattr(self, name, [_convert(name, kind, item) for item in value])
        else:
            setattr(self, name, _convert(name, kind, value))

    def parse(self, values: str) -> HParams:
        """Sets hyperparameters from a text.

        Args:
            values: Assignments such as "rate=0.1,layers=[64,32],layers[1]=16".

        Returns:
            This object.

        Raises:
            ValueError: If the text has another form, or names an unknown hyperparameter.
        """
        position = 0
        while position < len(values):
            found = _ASSIGNMENT.match(values, position)
            if not found:
                raise ValueError(f"cannot parse hyperparameters: {values[position:]!r}")
            name, index, items = found["name"], found["index"], found["list"]
            if name not in self._types:
                raise ValueError(f"unknown hyperparameter {name!r} in {values!r}")
            value: Any = found["value"]
            if items is not None:
                value = [item.strip() for item in items.split(",") if item.strip()]
            if index is not None:
                changed = list(getattr(self, name))
                changed[int(index)] = value
                value = changed
            self.set_hparam(name, value)
            position = found.end()
        return self

    def override_from_dict(self, values_dict: Mapping[str, Any]) -> HParams:
        """Sets the hyperparameters of a dict; returns this object."""
        for name, value in values_dict.items():
            self.set_hparam(name, value)
        return self

    def parse_json(self, values_json: str) -> HParams:
        """Sets the hyperparameters of a JSON object; returns this object."""
        return self.override_from_dict(json.loads(values_json))

    def to_json(self, indent: Any = None, separators: Any = None, sort_keys: bool = False) -> str:
        """Returns the hyperparameters as a JSON object; the arguments are those of json.dumps.

        Functions are left out, because JSON has none.
        """
        values = {name: value for name, value in self.values().items() if not callable(value)}
        return json.dumps(values, indent=indent, separators=separators, sort_keys=sort_keys)

    def values(self) -> dict[str, Any]:
        """Returns the hyperparameters by name."""
        return {name: getattr(self, name) for name in self._types}

    def get(self, key: str, default: Any = None) -> Any:
        """Returns a hyperparameter, or `default` if there is none of this name."""
        return getattr(self, key) if key in self._types else default

    def get_model_structure(self) -> Any:
        """Returns what was given as `model_structure`."""
        return self._model_structure

    def set_model_structure(self, model_structure: Any) -> None:
        """Sets what `get_model_structure` returns."""
        self._model_structure = model_structure

    def __contains__(self, key: str) -> bool:
        return key in self._types

    def __str__(self) -> str:
        return str(sorted(self.values().items()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self})"


def _convert(name: str, kind: type, value: Any) -> Any:
    """Converts a value to the type of a hyperparameter.

    Raises:
        ValueError: If that would lose something, e.g. for 0.5 as an integer.
    """
    if value is None or kind is type(None) or callable(value):
        return value
    if kind is bool:
        truth = _TRUTH.get(str(value).lower())
        if truth is None:
            raise ValueError(f"hyperparameter {name!r} is true or false, not {value!r}")
        return truth
    if isinstance(value, str) == issubclass(kind, str) or issubclass(kind, (int, float)):
        try:
            converted = kind(value)
        except ValueError:
            converted = None
        if converted is not None and not (kind is int and isinstance(value, (bool, float))):
            return converted
        if kind is int and isinstance(value, float) and value.is_integer():
            return int(value)
    raise ValueError(f"hyperparameter {name!r} has the type {kind.__name__}, not {value!r}")
