"""hubmodule doctor, as it is typed."""

from __future__ import annotations

import json
import sys

import pytest

from hubmodule.__main__ import main


@pytest.fixture
def program(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(text):
        (tmp_path / "train.py").write_text(text)
        return "train.py"

    return write


def test_findings_by_file_and_line(program, capsys):
    path = program(
        "import tensorflow as tf\ntf.contrib.crf.viterbi_decode(1)\ntf.app.run()\nimport urllib2\n"
    )
    assert main(["doctor", path]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "train.py",
        "  2: tf.contrib.crf.viterbi_decode: TensorFlow 2 has no tf.contrib; it went to "
        "tensorflow_addons, which ended with TensorFlow 2.15; its functions of this name are short "
        "enough to take into the program",
        "  4: urllib2: Python 3 has it in urllib.request and urllib.error",
        "2 findings in 1 file.",
        "--tf1 is needed for the API of TensorFlow 1: tf.contrib.crf.viterbi_decode (train.py:2), "
        "and 1 other name.",
        "Then run it with:",
        "    hubmodule run --tf1 train.py",
    ]


def test_a_program_that_runs(program, capsys):
    assert main(["doctor", program("if __name__ == '__main__': print(1)\n")]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "Nothing found in 1 file that does not work.",
        "Run it with:",
        "    hubmodule run train.py",
    ]


def test_json(program, capsys):
    assert main(["doctor", "--json", program("import tensorflow as tf\ntf.placeholder\n")]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["schema"] == 1
    assert report["tensorflow_1_uses"] == [
        {"path": "train.py", "line": 2, "name": "tf.placeholder"}
    ]


def test_a_path_that_is_not_there(capsys):
    assert main(["doctor", "missing.py"]) == 2
    assert capsys.readouterr().err == (
        "hubmodule: error: missing.py does not exist; name a Python file or a directory\n"
    )


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
