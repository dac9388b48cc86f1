"""Names of libraries that a file uses."""

from __future__ import annotations

import ast
import sys
import textwrap

import pytest

from hubmodule.legacy.imports import find_uses


def uses(code):
    found = find_uses(ast.parse(textwrap.dedent(code)))
    return [(use.line, use.name) for use in found if not use.is_import]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import a.b\na.b.c(1)", [(2, "a.b.c")]),
        ("import a.b as x\nx.c.d", [(2, "a.b.c.d")]),
        ("from a import b as x\nx.c\nx", [(2, "a.b.c"), (3, "a.b")]),
        ("from a.b import c\nc()[0].d", [(2, "a.b.c")]),
        ("def f():\n  import a\n  return a.b(a.c)", [(3, "a.b"), (3, "a.c")]),
        ("import a\nx.a.b\na = 1", []),
        ("from . import a\na.b", []),
        ("from .a import b\nb.c", []),
        ("from a import *\nb.c\nlen\nd = 1\nd", [(2, "a.b.c")]),
        ("from a import *\nfrom b import *\nc", [(3, "a.c")]),
        ("from .a import *\nb", []),
        ("import a\nclass C(a.B):\n  @a.d\n  def f(self, x=a.e): pass", None),
    ],
)
def test_uses(code, expected):
    if expected is None:
        expected = [(2, "a.B"), (3, "a.d"), (4, "a.e")]
    assert uses(code) == expected


def test_imports_are_uses_too():
    found = find_uses(ast.parse("import a.b, c\nfrom d import e, f\nfrom g import *"))
    assert [(use.line, use.name, use.is_import) for use in found] == [
        (1, "a.b", True),
        (1, "c", True),
        (2, "d.e", True),
        (2, "d.f", True),
        (3, "g", True),
    ]


@pytest.mark.parametrize(
    ("handler", "guarded"),
    [
        ("ImportError", True),
        ("(KeyError, AttributeError)", True),
        ("Exception as error", True),
        ("", True),
        ("ValueError", False),
    ],
)
def test_what_a_program_tries_is_guarded(handler, guarded):
    code = f"try:\n  import a\nexcept {handler}:\n  import b\nfinally:\n  import c"
    found = {use.name: use.is_guarded for use in find_uses(ast.parse(code))}
    assert found == {"a": guarded, "b": False, "c": False}


@pytest.mark.parametrize(
    ("code", "guarded"),
    [
        ("if hasattr(a, 'b'):\n  a.b\nelse:\n  a.c", True),
        ("x = a.b if hasattr(a, 'b') else a.c", True),
        ("x = hasattr(a, 'b') and a.b()", True),
        ("x = flag and a.b()", False),
        ("if hasattr(a, 'b'):\n  pass\na.b", False),
    ],
)
def test_what_a_program_asks_for_is_guarded(code, guarded):
    found = [use for use in find_uses(ast.parse(f"import a\n{code}")) if "." in use.name]
    assert {use.is_guarded for use in found} == {guarded}


def test_a_variable_of_several_imports_is_guarded():
    code = "try:\n  import a as x\nexcept ImportError:\n  import b as x\nx.c"
    assert find_uses(ast.parse(code))[-1] == ("a.c", 5, False, True)


@pytest.mark.parametrize(
    ("test", "count"),
    [
        ("sys.version_info[0] < 3", 0),
        ("six.PY2", 0),
        ("version.parse(lib.__version__) < version.parse('2')", 0),
        ("flag", 2),
    ],
)
def test_branches_by_version_are_left_out(test, count):
    for code in (f"import a\nif {test}:\n  a.b\nelse:\n  a.c", f"import a\na.b if {test} else a.c"):
        found = [name for _, name in uses(code) if name.startswith("a.")]
        assert len(found) == count


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
