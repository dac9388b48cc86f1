"""errors: each is a HubModuleError and what programs catch; the drawn tree is the real one."""

from __future__ import annotations

import copy
import inspect
import pickle
import re
import sys
import urllib.error

import pytest
import tensorflow as tf

from hubmodule import errors
from hubmodule.errors import HubModuleError

ALL = [
    error
    for _, error in inspect.getmembers(errors, inspect.isclass)
    if issubclass(error, HubModuleError)
]
TEXT = "Module at /m has no 'x'; pass 'y'."


def drawn_tree() -> dict[str, tuple[str, set[str]]]:
    """What the docstring of errors draws: class -> its parent, and the foreign types."""
    line = re.compile(r"^ {4}(?P<indent>[│ ]*)[├└]── (?P<name>\w+)(?: \((?P<types>[^)]*)\))?")
    path = ["HubModuleError"]
    tree = {}
    for match in filter(None, map(line.match, errors.__doc__.splitlines())):
        depth = len(match["indent"]) // 4 + 1
        del path[depth:]
        tree[match["name"]] = path[-1], set(filter(None, (match["types"] or "").split(", ")))
        path.append(match["name"])
    return tree


def public_name(error: type[Exception]) -> str:
    """How a program names a foreign error."""
    if issubclass(error, tf.errors.OpError):
        return f"tf.errors.{error.__name__}"
    if error.__module__ == "urllib.error":
        return f"urllib.error.{error.__name__}"
    return error.__name__


def test_there_are_errors():
    assert len(ALL) > 10


@pytest.mark.parametrize("error", ALL)
class TestEachError:
    def test_is_raised_with_a_message_alone(self, error):
        with pytest.raises(error) as caught:
            raise error(TEXT)
        assert caught.value.message == TEXT
        assert caught.value.args == (TEXT,)

    def test_shows_the_plain_message(self, error):
        assert str(error(TEXT)) == TEXT

    @pytest.mark.parametrize(
        "again",
        [copy.copy, lambda error: pickle.loads(pickle.dumps(error))],
        ids=["copy", "pickle"],
    )
    def test_survives_copies(self, error, again):
        copied = again(error(TEXT))
        assert type(copied) is error
        assert str(copied) == TEXT

    def test_is_drawn_with_its_parent_and_foreign_types(self, error):
        if error is HubModuleError:
            assert HubModuleError.__name__ in errors.__doc__
            return
        parent, types = drawn_tree()[error.__name__]
        assert getattr(errors, parent) in error.__bases__
        foreign = set(error.__bases__) - set(ALL)
        assert types == {public_name(base) for base in foreign}


def test_nothing_else_is_drawn():
    assert drawn_tree().keys() == {error.__name__ for error in ALL} - {"HubModuleError"}


@pytest.mark.parametrize(
    ("error", "caught_as"),
    [
        (errors.HandleNotFoundError, OSError),
        (errors.InvalidHandleError, OSError),
        (errors.DownloadError, urllib.error.URLError),
        (errors.HttpStatusError, urllib.error.HTTPError),
        (errors.UncompressedReadError, ValueError),
        (errors.ArchiveError, OSError),
        (errors.ArchiveError, ValueError),
        (errors.NotAModuleError, ValueError),
        (errors.NotAModuleError, tf.errors.NotFoundError),
        (errors.NoSuchSignatureError, KeyError),
        (errors.NoSuchSignatureError, ValueError),
        (errors.NoSuchVariantError, KeyError),
        (errors.SignatureMismatchError, TypeError),
        (errors.UnregisteredOpsError, tf.errors.NotFoundError),
        (errors.GraphError, RuntimeError),
        (errors.ScopeError, RuntimeError),
        (errors.ModuleDefinitionError, ValueError),
    ],
)
def test_programs_written_for_tensorflow_hub_catch_it(error, caught_as):
    with pytest.raises(caught_as):
        raise error(TEXT)


@pytest.mark.parametrize("error", [error for error in ALL if issubclass(error, tf.errors.OpError)])
def test_errors_of_tensorflow_have_their_code(error):
    code = error(TEXT).error_code
    assert code in (tf.errors.NOT_FOUND, tf.errors.ALREADY_EXISTS)


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
