"""The house rules as a test: which file may import which, and that each has its tests."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# Through the links that Bazel makes, to the checkout: mirrored tests are no data of this one.
ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "hubmodule"

# From the ground up. A file may import files of lower floors, and of its own room.
FLOORS = [
    {"_plain_errors", "_requirements", "_tf", "_version", "errors", "settings"},
    {"files"},
    {"surgery", "format", "resolver"},
    {"module"},
    {"tf2"},
    {"estimator"},
    {"__init__"},  # the public names
    {"alias"},
    {"run"},
    {"commands"},
    {"__main__"},
]
# Neighbours on a floor know nothing of each other, but for these.
ALLOWED = {("format", "surgery")}
# Lower floors that a room, or one of its files, has no business with.
FORBIDDEN = {
    ("surgery", "files"),
    ("tf2.load", "module"),
    ("estimator.exporter", "resolver"),
}
# The files that may name TensorFlow's private parts.
PRIVATE_TENSORFLOW = {"_tf", "estimator.bridge"}
# Files that are tested with others; the tests of _tf.py are in test_tf.py.
TESTS_ELSEWHERE = {
    "_plain_errors": "tests/test_errors.py",
    "_version": "tests/test_init.py",
}
MOST_LINES = 450


def name_of(path: Path) -> str:
    """hubmodule/format/assets.py is "format.assets"; a package is its folder."""
    parts = path.relative_to(ROOT / PACKAGE).with_suffix("").parts
    if len(parts) > 1 and parts[-1] == "__init__":
        parts = parts[:-1]
    return ".".join(parts)


FILES = {
    name_of(path): path
    for path in sorted((ROOT / PACKAGE).rglob("*.py"))
    if not path.name.endswith("_pb2.py")
}


def imported(path: Path) -> Iterator[str]:
    """What a file imports, at its top or in a function: absolute names of modules or in them."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide where an arrow goes"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def arrows(name: str) -> set[str]:
    """The files of the package that a file imports."""
    found = set()
    for target in imported(FILES[name]):
        package, _, rest = target.partition(".")
        if package != PACKAGE or rest.endswith("_pb2") or "_pb2." in rest:
            continue
        # "format.assets.locate" is in the file "format.assets", "Module" in the package itself.
        while rest and rest not in FILES:
            rest = rest.rpartition(".")[0]
        found.add(rest or "__init__")
    return found


def room(name: str) -> str:
    return name.partition(".")[0]


def floor(name: str) -> int:
    return next(index for index, rooms in enumerate(FLOORS) if room(name) in rooms)


def may_import(name: str, target: str) -> bool:
    if {(name, room(target)), (room(name), room(target))} & FORBIDDEN:
        return False
    if room(name) == room(target) or (room(name), room(target)) in ALLOWED:
        return True
    both_on_the_ground = floor(name) == floor(target) == 0
    return floor(target) < floor(name) or both_on_the_ground


def circle_through(name: str, path: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Files that import each other in a circle, reached from a file; none if empty."""
    if name in path:
        return (*path[path.index(name) :], name)
    for target in sorted(arrows(name)):
        if room(target) == room(name):
            circle = circle_through(target, (*path, name))
            if circle:
                return circle
    return ()


def test_there_is_a_house():
    assert {"files", "surgery.prune", "format.assets", "module.module"} <= FILES.keys()


@pytest.mark.parametrize("name", sorted(FILES.keys() - {"__init__"}))
class TestEachFile:
    def test_has_a_floor(self, name):
        assert room(name) in set().union(*FLOORS)

    def test_imports_what_it_may(self, name):
        assert {target for target in arrows(name) if not may_import(name, target)} == set()

    def test_is_in_no_circle(self, name):
        assert circle_through(name) == ()

    def test_leaves_private_tensorflow_alone(self, name):
        private = {
            target
            for target in imported(FILES[name])
            if target.startswith(("tensorflow.python", "tensorflow.compiler"))
        }
        private |= set(re.findall(r"tf\.__internal__", FILES[name].read_text(encoding="utf-8")))
        assert not private or name in PRIVATE_TENSORFLOW

    def test_is_not_long(self, name):
        lines = FILES[name].read_text(encoding="utf-8").splitlines()
        assert len(lines) <= MOST_LINES

    def test_has_tests(self, name):
        if FILES[name].name == "__init__.py":
            folder = ROOT / "tests" / room(name)
            assert list(folder.glob("test_*.py"))
            return
        folder, _, stem = name.rpartition(".")
        mirror = TESTS_ELSEWHERE.get(name, f"tests/{folder}/test_{stem.strip('_')}.py")
        assert (ROOT / mirror).is_file()


def test_the_package_itself_imports_no_room():
    """Importing hubmodule must not import TensorFlow."""
    assert arrows("__init__") <= {"_requirements", "_version", "settings"}


class TestTheRulesThemselves:
    """The rules refuse what they are there to refuse."""

    @pytest.mark.parametrize(
        ("name", "target"),
        [
            ("surgery.prune", "files"),
            ("surgery.prune", "format.assets"),
            ("surgery.prune", "module.spec"),
            ("resolver.cache", "surgery.names"),
            ("resolver.cache", "format.module_def"),
            ("resolver.cache", "module.spec"),
            ("format.assets", "resolver.resolvers"),
            ("files", "format.assets"),
            ("errors", "files"),
            ("module.spec", "tf2.load"),
            ("tf2.load", "module.spec"),
            ("estimator.exporter", "resolver.resolvers"),
            ("estimator.exporter", "__main__"),
            ("module.spec", "__init__"),
            ("resolver.cache", "commands.cache"),
            ("commands.cache", "__main__"),
        ],
    )
    def test_arrows_up_and_across_are_refused(self, name, target):
        assert not may_import(name, target)

    @pytest.mark.parametrize(
        ("name", "target"),
        [
            ("format.assets", "surgery.names"),
            ("format.assets", "files"),
            ("resolver.cache", "files"),
            ("surgery.prune", "errors"),
            ("module.module", "resolver.resolvers"),
            ("tf2.reusable_module", "module.spec"),
            ("tf2.load", "resolver.resolvers"),
            ("estimator.exporter", "module.module"),
            ("settings", "errors"),
            ("__main__", "commands.cache"),
            ("commands.convert", "tf2.convert"),
        ],
    )
    def test_arrows_down_and_within_are_allowed(self, name, target):
        assert may_import(name, target)


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
