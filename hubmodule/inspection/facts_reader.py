"""Reads dataclasses of facts from their form as JSON, which may be damaged or hostile."""

from __future__ import annotations

import dataclasses
import enum
import functools
import types
import typing
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from hubmodule._plain_errors import FactsError
from hubmodule.inspection.facts import ModuleFacts

T = TypeVar("T")
_Converter = Callable[[object, str], Any]


def read_facts(value: object) -> ModuleFacts:
    """Converts what `ModuleFacts.to_dict` returns back to the facts.

    Args:
        value: What json.loads() returns for the JSON of the facts.

    Raises:
        FactsError: If a field is missing or has a value of another type, or if the layout has
            another version.
    """
    return convert_from_plain(ModuleFacts, value, "facts")


def convert_from_plain(kind: type[T], value: object, name: str) -> T:
    """Converts what json.loads() returns to a dataclass; the reverse of `convert_to_plain`.

    Args:
        kind: The dataclass. Its fields are strings, integers, booleans, enums and dataclasses,
            dicts and tuples of such, and None. If it has a field `schema`, the default is the
            version of the layout that can be read.
        value: The value. Fields that the dataclass does not have are ignored; so are missing
            fields that have a default.
        name: What the value is called in errors, e.g. "facts".

    Raises:
        FactsError: If a field is missing or has a value of another type, or if the layout has
            another version.
    """
    return _make_converter(typing.cast(Hashable, kind))(value, name)


@functools.cache
def _make_converter(annotation: Any) -> _Converter:
    """Makes the function that checks and converts a value, given the value and its name."""
    if dataclasses.is_dataclass(annotation) and isinstance(annotation, type):
        return _make_dataclass_converter(annotation)
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (types.UnionType, typing.Union):  # with None, as all unions of facts.py are
        (annotation,) = (argument for argument in arguments if argument is not types.NoneType)
        convert = _make_converter(annotation)
        return lambda value, where: None if value is None else convert(value, where)
    if origin is tuple:
        return _make_tuple_converter(_make_converter(arguments[0]))
    if origin is dict:
        return _make_dict_converter(_make_converter(arguments[1]))
    if issubclass(annotation, enum.Enum):
        return _make_enum_converter(annotation)
    return _make_plain_converter(annotation)


def _make_dataclass_converter(kind: type) -> _Converter:
    hints = typing.get_type_hints(kind)
    converters = {
        field.name: _make_converter(hints[field.name]) for field in dataclasses.fields(kind)
    }
    optional = {
        field.name
        for field in dataclasses.fields(kind)
        if field.default is not dataclasses.MISSING
        or field.default_factory is not dataclasses.MISSING
    }

    schema = getattr(kind, "schema", None)

    def convert(value: object, where: str) -> Any:
        fields = _check(value, dict, where)
        if schema is not None and fields.get("schema", schema) != schema:
            raise FactsError(
                f"{where} has the layout {fields['schema']}, and this version of hubmodule reads "
                f"the layout {schema}; upgrade hubmodule."
            )
        missing = converters.keys() - fields.keys() - optional
        if missing:
            raise FactsError(f"{where} has no field '{min(missing)}'.")
        return kind(
            **{
                name: convert_field(fields[name], f"{where}.{name}")
                for name, convert_field in converters.items()
                if name in fields
            }
        )

    return convert


def _make_tuple_converter(convert_item: _Converter) -> _Converter:
    def convert(value: object, where: str) -> tuple[Any, ...]:
        return tuple([convert_item(item, where) for item in _check(value, list, where)])

    return convert


def _make_dict_converter(convert_item: _Converter) -> _Converter:
    def convert(value: object, where: str) -> dict[str, Any]:
        return {k: convert_item(item, where) for k, item in _check(value, dict, where).items()}

    return convert


def _make_enum_converter(kind: type[enum.Enum]) -> _Converter:
    def convert(value: object, where: str) -> enum.Enum:
        try:
            return kind(value)
        except ValueError as error:
            raise FactsError(f"{where} is {value!r}, which is not known.") from error

    return convert


def _make_plain_converter(kind: type) -> _Converter:
    return lambda value, where: _check(value, kind, where)


def _check(value: object, kind: type, where: str) -> Any:
    """Returns a value that has exactly a type: True is not an int here."""
    if type(value) is not kind:
        raise FactsError(f"{where} is of type {type(value).__name__}, not {kind.__name__}.")
    return value
