"""Tests of hubmodule.hosting.extras."""

from __future__ import annotations

import sys

import pytest

from hubmodule._plain_errors import ExtraMissingError
from hubmodule.hosting.extras import check_extra


def test_installed_packages() -> None:
    check_extra("serve", "json", "email")


def test_missing_packages() -> None:
    with pytest.raises(ExtraMissingError) as caught:
        check_extra("serve", "json", "no_such_package", "no_such_other")
    assert isinstance(caught.value, ImportError)
    assert str(caught.value) == (
        "hubmodule serve needs no_such_package and no_such_other, which are not installed: "
        "pip install 'hubmodule[hub]'"
    )


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
