"""hubmodule.beam where Apache Beam is not installed."""

from __future__ import annotations

import sys

import pytest

from tests.processes import output_of


def test_the_error_says_what_to_install():
    lines = output_of(
        """
        import sys
        sys.modules["apache_beam"] = None  # as if it were not installed
        try:
            import hubmodule.beam
        except ImportError as error:
            print(type(error).__name__, error)
        """
    )
    assert lines == [
        "ExtraMissingError hubmodule.beam needs apache_beam, which is not installed: "
        "pip install 'hubmodule[beam]'"
    ]


def test_importing_the_package_does_not_import_beam():
    lines = output_of(
        "import sys, hubmodule; hubmodule.ModuleApplier; print('apache_beam' in sys.modules)"
    )
    assert lines == ["False"]


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
