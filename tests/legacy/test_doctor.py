"""What is said of programs that are not run."""

from __future__ import annotations

import json
import sys
import textwrap

import pytest

from hubmodule._plain_errors import SourceError
from hubmodule.legacy.doctor import examine

# Runs on TensorFlow 2.15 and newer under `hubmodule run --tf1`.
GOOD = """
    import os
    import numpy as np
    import tensorflow as tf
    import tensorflow_hub as hub
    from tensorflow.contrib import layers
    from tensorflow.python.framework import graph_util
    import helper

    try:
        import some_optional_package
    except ImportError:
        some_optional_package = None

    def model_fn(features, labels, mode):
        module = hub.Module("m", trainable=True, tags={"train"})
        net = layers.fully_connected(module(features), 10)
        loss = tf.losses.sparse_softmax_cross_entropy(labels, tf.layers.dense(net, 2))
        train_op = tf.train.AdamOptimizer().minimize(loss, tf.train.get_global_step())
        return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)

    def main(_):
        tf.estimator.Estimator(model_fn).train(lambda: None)
        for name, value in {}.items():
            tf.logging.info("%s", name)

    if __name__ == "__main__":
        tf.app.run()
    """


@pytest.fixture
def find(tmp_path):
    """Writes a program; returns what `examine` finds in it."""

    def write(code, **files):
        for name, content in {"main": code, **files}.items():
            (tmp_path / f"{name}.py").write_text(textwrap.dedent(content))
        return examine([str(tmp_path / "main.py")])

    return write


def test_a_program_that_runs(find, tmp_path):
    report = find(GOOD, helper="import tensorflow as tf\nx = tf.Session")
    assert report.findings == ()
    assert [path.removeprefix(f"{tmp_path}/") for path in report.files] == ["main.py", "helper.py"]
    assert {place.name for place in report.tensorflow_1_uses} == {
        "tf.Session",
        "tf.app.run",
        "tf.contrib.layers",
        "tf.contrib.layers.fully_connected",
        "tf.layers.dense",
        "tf.logging.info",
        "tf.losses.sparse_softmax_cross_entropy",
        "tf.train.AdamOptimizer",
        "tf.train.get_global_step",
    }
    assert report.commands == (f"hubmodule run --tf1 {tmp_path}/main.py",)


def test_a_program_of_tensorflow_2_needs_no_option(find, tmp_path):
    report = find(
        """
        import tensorflow as tf
        import tensorflow.compat.v1 as v1
        v1.placeholder
        tf.summary.create_file_writer("x")
        tf.estimator.Estimator
        if __name__ == "__main__":
            print(tf.function)
        """
    )
    assert report.findings == report.tensorflow_1_uses == ()
    assert report.commands == (f"hubmodule run {tmp_path}/main.py",)


TF = "import tensorflow as tf\n"
HUB = "import tensorflow_hub as hub\n"


@pytest.mark.parametrize(
    ("code", "line", "name", "reason"),
    [
        (
            TF + "from tensorflow.contrib.learn import Experiment\nExperiment(1)",
            3,
            "tf.contrib.learn.Experiment",
            "TensorFlow 2 has no tf.contrib; use tf.estimator.train_and_evaluate",
        ),
        (
            TF + "tf.contrib.layers.real_valued_column('x')",
            2,
            "tf.contrib.layers.real_valued_column",
            "TensorFlow 2 has no tf.contrib; use tf.feature_column.numeric_column",
        ),
        (
            TF + "tf.contrib.layers.bow_encoder(1)",
            2,
            "tf.contrib.layers.bow_encoder",
            "TensorFlow 2 has no tf.contrib; its successor tf_slim.layers does not have this name",
        ),
        (
            "from tensorflow.examples.tutorials.mnist import input_data",
            1,
            "tf.examples.tutorials.mnist.input_data",
            "TensorFlow 2 does not have it; tf.keras.datasets has MNIST and others",
        ),
        (
            TF + "tf.estimator.BoostedTreesClassifier([], 1)",
            2,
            "tf.estimator.BoostedTreesClassifier",
            "TensorFlow dropped its kernels; use the package tensorflow-decision-forests",
        ),
        (
            "import tensorflow.compat.v1 as tf\ntf.keras.utils.multi_gpu_model(1)",
            2,
            "tf.compat.v1.keras.utils.multi_gpu_model",
            "TensorFlow 2 dropped it, also from tf.compat.v1; remove this use",
        ),
        (
            "from tensorflow.python.no_such import module",
            1,
            "tf.python.no_such.module",
            "this TensorFlow does not have it; it was never public, use the public API",
        ),
        (
            HUB + "hub.no_such",
            2,
            "tensorflow_hub.no_such",
            "hubmodule has the public names of tensorflow_hub only; use one of those",
        ),
        (
            TF + "tf.placeholder\ntf.summary.create_file_writer('x')",
            3,
            "tf.summary.create_file_writer",
            "TensorFlow 1 does not have it, and other lines need the API of TensorFlow 1; "
            "write tf.compat.v2.summary.create_file_writer",
        ),
        (
            "import no_such_package",
            1,
            "no_such_package",
            "the package is not installed; pip install no_such_package",
        ),
        ("import urllib2", 1, "urllib2", "Python 3 has it in urllib.request and urllib.error"),
        (
            "import numpy as np\nnp.float(1)",
            2,
            "numpy.float",
            "NumPy dropped it; use float",
        ),
        (
            "from keras.engine import Layer",
            1,
            "keras.engine.Layer",
            "Keras 3 does not have it; import it from tf_keras, which is Keras 2",
        ),
        ("x = xrange(3)", 1, "xrange", "Python 3 does not have it; use range"),
        (
            "x = {}\nx.iteritems()",
            2,
            ".iteritems()",
            "dictionaries of Python 3 do not have it; use items",
        ),
    ],
)
def test_a_line_that_does_not_work(find, code, line, name, reason):
    report = find(code)
    found = [(finding.line, finding.name, finding.reason) for finding in report.findings]
    assert found == [(line, name, reason)]


def test_a_package_for_a_part_of_contrib(find, monkeypatch):
    code = TF + "tf.contrib.gan.gan_model(1)"
    (finding,) = find(code).findings
    assert finding.reason == "it needs the package tensorflow-gan; pip install tensorflow-gan"
    monkeypatch.setitem(sys.modules, "tensorflow_gan", object())
    assert find(code).findings == ()


def test_python_2(find):
    (finding,) = find("x = 1\nprint 'old'").findings
    assert (finding.line, finding.name) == (2, "syntax")
    assert finding.reason.startswith("it is not Python 3 (Missing parentheses in call to 'print'")
    assert finding.reason.endswith("); convert it, for example with futurize")


@pytest.mark.parametrize(
    "code",
    [
        "import six\nsix.iteritems({})",
        "from six.moves import xrange\nxrange(3)",
        "def f(unicode): return unicode",
        "try:\n  xrange\nexcept NameError:\n  xrange = range",
        HUB + "hub.KerasLayer\nhub.native_module.Module\nhub.image_module_info_pb2.ImageModuleInfo",
        TF + "tf.python.util.nest\ntf.compat.v1.placeholder\ntf.contrib.training.HParams",
        TF + "from tensorflow.contrib import crf",
        "import tensorflow_hub.tf_v1",
    ],
)
def test_lines_that_work(find, code):
    pytest.importorskip("six")
    assert find(code).findings == ()


def test_files_of_its_own_are_no_packages(find):
    report = find("import bert", bert="import tensorflow as tf\ntf.contrib.crf.viterbi")
    (finding,) = report.findings
    assert finding.path.endswith("bert.py")


def test_a_script_without_a_guard_is_a_program_if_it_is_named_itself(find, tmp_path):
    report = find(TF + "import helper\nwith tf.Session() as sess: pass", helper="print(1)")
    assert report.commands == (f"hubmodule run --tf1 {tmp_path}/main.py",)
    assert examine([str(tmp_path)]).commands == ()


def test_a_module_of_python_2_in_the_package_itself(tmp_path):
    (tmp_path / "package").mkdir()
    for name, code in {"__init__": "", "helper": "", "model": "\nimport helper"}.items():
        (tmp_path / "package" / f"{name}.py").write_text(code)
    (finding,) = examine([str(tmp_path)]).findings
    assert (finding.path, finding.line) == (f"{tmp_path}/package/model.py", 2)
    assert finding.reason == (
        "Python 3 does not import it from the package itself; use `from . import helper`"
    )


def test_names_of_the_implementation_that_run_gives_back(find):
    report = find(
        """
        from tensorflow.python.framework import graph_util
        from tensorflow.python.pywrap_tensorflow import NewCheckpointReader
        graph_util.extract_sub_graph
        graph_util.convert_variables_to_constants
        """
    )
    assert report.findings == ()
    assert [(place.line, place.name) for place in report.tensorflow_1_uses] == [
        (3, "tf.python.pywrap_tensorflow.NewCheckpointReader"),
        (5, "tf.python.framework.graph_util.convert_variables_to_constants"),
    ]


def test_bytes_that_are_not_utf_8(tmp_path):
    path = tmp_path / "bytes.py"
    path.write_bytes(b"x = 1\ny = '\xff'\n")
    (finding,) = examine([str(path)]).findings
    assert (finding.line, finding.name) == (2, "encoding")
    path.write_bytes(b"# coding: latin-1\ny = '\xff'\n")
    assert examine([str(path)]).findings == ()
    path.write_bytes(b"\xef\xbb\xbfimport urllib2\n")
    assert [finding.name for finding in examine([str(path)]).findings] == ["urllib2"]
    path.write_bytes(b"# coding: no-such\n")
    assert [finding.name for finding in examine([str(path)]).findings] == ["syntax"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"import a\na" + b".b" * 100_000, "its expressions are nested too deeply; split them"),
        (b"\x7fELF\0\0\xff", "it is not a text; leave it out"),
    ],
)
def test_files_that_cannot_be_parsed_do_not_hide_others(tmp_path, content, reason):
    (tmp_path / "a.py").write_bytes(content)
    (tmp_path / "b.py").write_text("import urllib2")
    findings = examine([str(tmp_path)]).findings
    assert [finding.name for finding in findings] == ["syntax", "urllib2"]
    assert findings[0].reason == reason


def test_a_file_that_cannot_be_read(tmp_path, monkeypatch):
    path = tmp_path / "closed.py"
    path.write_text("")

    def refuse(*_, **__):
        raise PermissionError("closed")

    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(SourceError, match=r"^cannot read .*closed\.py: closed$"):
        examine([str(path)])


def test_names_of_a_star_import(find):
    report = find(
        """
        from tensorflow import *
        x = placeholder(float32)
        contrib.learn.Experiment(1)
        def f(layers):
            layers.dense
        print(list(range(3)), app.run)
        """
    )
    assert [(finding.line, finding.name) for finding in report.findings] == [
        (4, "tf.contrib.learn.Experiment")
    ]
    assert [(place.line, place.name) for place in report.tensorflow_1_uses] == [
        (3, "tf.placeholder"),
        (4, "tf.contrib.learn.Experiment"),
        (7, "tf.app.run"),
    ]


def test_notebooks(tmp_path):
    cells = [
        {"cell_type": "markdown", "source": ["text"]},
        {"cell_type": "code", "source": ["%matplotlib inline\n", "import tensorflow as tf\n"]},
        {"cell_type": "code", "source": ["!ls\n", "tf.Session\n", "tf.contrib.crf.x"]},
    ]
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps({"cells": cells}))
    report = examine([str(tmp_path)])
    assert [finding[:3] for finding in report.findings] == [
        (f"{path}, cell 2", 3, "tf.contrib.crf.x")
    ]
    assert report.tensorflow_1_uses[0] == (f"{path}, cell 2", 2, "tf.Session")
    assert report.commands == ()
    path.write_text("{")
    (finding,) = examine([str(path)]).findings
    assert finding[:3] == (str(path), 1, "syntax")
    assert finding.reason.startswith("it is not a Jupyter notebook (")


def test_links_in_a_circle(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "up").symlink_to("..")
    (tmp_path / "m.py").write_text("import urllib2")
    assert len(examine([str(tmp_path)]).findings) == 1


def test_names_that_a_program_asks_for(find):
    assert find(TF + "if hasattr(tf.contrib, 'crf'):\n  tf.contrib.crf.x").findings == ()


@pytest.mark.parametrize(
    "code",
    [
        "import sys\nif sys.version_info[0] < 3:\n  import urllib2\n  range = xrange\nelse:\n"
        "  import urllib.request as urllib2\nurllib2.urlopen",
        "import six\ntext = unicode if six.PY2 else str",
        TF + "if tf.__version__.startswith('1.'):\n  tf.contrib.crf.x\nelse:\n  tf.function",
        "try:\n  import cPickle as pickle\nexcept ImportError:\n  import pickle\npickle.load",
        "class D:\n  def iteritems(self): pass\nD().iteritems()",
    ],
)
def test_programs_for_several_versions(find, code):
    pytest.importorskip("six")
    report = find(code)
    assert (report.findings, report.tensorflow_1_uses) == ((), ())


def test_the_command_of_a_module_that_imports_relative_to_its_package(tmp_path, monkeypatch):
    (tmp_path / "a" / "b").mkdir(parents=True)
    guard = "if __name__ == '__main__': print(1)"
    for name, code in {
        "a/__init__": "",
        "a/b/__init__": "",
        "a/b/absolute": guard,
        "a/b/train": f"from . import x\n{guard}",
        "a/__main__": f"from .b import train\n{guard}",
        "alone": f"from . import x\n{guard}",
    }.items():
        (tmp_path / f"{name}.py").write_text(code)
    commands = examine([str(tmp_path)]).commands
    assert commands == (
        f"hubmodule run {tmp_path}/alone.py",
        f"cd {tmp_path} && hubmodule run -m a",
        f"hubmodule run {tmp_path}/a/b/absolute.py",
        f"cd {tmp_path} && hubmodule run -m a.b.train",
    )
    monkeypatch.chdir(tmp_path)
    assert examine(["a/b/train.py"]).commands == ("hubmodule run -m a.b.train",)


def test_the_report_as_a_dict(find, tmp_path):
    assert find("import urllib2").to_dict() == {
        "schema": 1,
        "files": [f"{tmp_path}/main.py"],
        "findings": [
            {
                "path": f"{tmp_path}/main.py",
                "line": 1,
                "name": "urllib2",
                "reason": "Python 3 has it in urllib.request and urllib.error",
            }
        ],
        "tensorflow_1_uses": [],
        "commands": [],
    }


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
