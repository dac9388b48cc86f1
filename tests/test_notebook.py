"""The magics of a notebook."""

from __future__ import annotations

import sys

import pytest

from tests.processes import output_of


def test_cells_of_a_notebook_get_tensorflow_1(tmp_path):
    pytest.importorskip("IPython")
    (tmp_path / "helper.py").write_text("import tensorflow as tf\n")
    code = f"""
        import os, sys
        os.chdir({str(tmp_path)!r})
        sys.path.insert(0, "")
        from IPython.core.interactiveshell import InteractiveShell
        shell = InteractiveShell.instance()
        for cell in ["%load_ext hubmodule", "%tf1", "import tensorflow as tf, helper",
                     "print(hasattr(tf, 'placeholder'), helper.tf is tf, tf.executing_eagerly())",
                     "import tensorflow_hub as hub; print(hub.__version__[:6])"]:
            shell.run_cell(cell).raise_error()
        """
    assert output_of(code)[-2:] == ["True True False", "0.15.0"]


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
