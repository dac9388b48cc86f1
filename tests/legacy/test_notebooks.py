"""The Python code of notebooks."""

from __future__ import annotations

import json
import sys

import pytest

from hubmodule.legacy.notebooks import parse_notebook


def parse(*cells, **metadata):
    made = [{"cell_type": "code", "source": cell.splitlines(keepends=True)} for cell in cells]
    text = {"cell_type": "markdown", "source": ["not code"]}
    return parse_notebook(json.dumps({"cells": [text, *made], "metadata": metadata}))


@pytest.mark.parametrize(
    ("cell", "source"),
    [
        ("x = 1\ny = 2", "x = 1\ny = 2\n"),
        ("%matplotlib inline\nx = 1", "pass\nx = 1\n"),
        ("if x:\n    !ls -l\n    %cd a", "if x:\n    pass\n    pass\n"),
        ("x = 1\nx.y?\n?x\nx??", "x = 1\npass\npass\npass\n"),
        ("files = !ls\na, b = %magic", "files = None\na, b = None\n"),
        ("%%time\nx = 1", "pass\nx = 1\n"),
        ("%%bash\necho 'x = '", "\n\n"),
        ("print('%s'\n% x)", "print('%s'\n% x)\n"),
        ("", "\n"),
    ],
)
def test_magics_are_left_out(cell, source):
    assert parse(cell).source == source


def test_lines_are_found_in_their_cells():
    notebook = parse("a = 1\nb = 2\n", "", "c = 3\nd = 4")
    assert notebook.source == "a = 1\nb = 2\n\nc = 3\nd = 4\n"
    found = [notebook.locate(line) for line in range(1, 6)]
    assert found == [(1, 1), (1, 2), (2, 1), (3, 1), (3, 2)]


def test_other_languages_and_older_formats():
    assert parse("x <- 1", kernelspec={"language": "R"}).source == ""
    sheets = {"worksheets": [{"cells": [{"cell_type": "code", "input": ["x = 1"]}]}]}
    assert parse_notebook(json.dumps(sheets)).source == "x = 1\n"


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"cells": [1]}', '{"cells": [{}]}'])
def test_what_is_not_a_notebook(text):
    with pytest.raises(ValueError, match=r"^it is not a Jupyter notebook \("):
        parse_notebook(text)


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
