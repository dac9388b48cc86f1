"""`import tensorflow` in the files of a program of TensorFlow 1."""

from __future__ import annotations

import os
import sys
import textwrap

import pytest

from tests.processes import run_python


@pytest.fixture
def program(tmp_path):
    """Writes the files of a program; runs it with --tf1 and returns the process."""

    def run(code, *options, arguments=(), environment=None, **files):
        directory = tmp_path / "program"
        directory.mkdir(exist_ok=True)
        for name, content in files.items():
            (directory / f"{name}.py").write_text(textwrap.dedent(content))
        (directory / "main.py").write_text(textwrap.dedent(code))
        main = str(directory / "main.py")
        return run_python(
            "-m", "hubmodule", "run", "--tf1", *options, main, *arguments, **(environment or {})
        )

    return run


def lines(done):
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_every_form_of_import(program):
    done = program(
        """
        before = "tensorflow" in __import__("sys").modules
        import tensorflow
        import tensorflow as tf
        import tensorflow.contrib as contrib
        import tensorflow.contrib.training as training
        import tensorflow.keras.layers
        import tensorflow.python.framework.ops as ops
        from tensorflow import contrib as same, placeholder, Session as S
        from tensorflow.contrib.training import HParams
        from tensorflow.keras import layers
        from tensorflow.python.framework import dtypes
        import tensorflow.compat.v1 as v1
        from tensorflow.compat import v2
        print(before, tensorflow is tf, contrib is same is tf.contrib, HParams is training.HParams)
        print(placeholder is tf.placeholder is v1.placeholder, S is v1.Session)
        print(layers is tf.keras.layers, ops.Graph is tf.Graph, dtypes.float32 is tf.float32)
        print(hasattr(v2, "placeholder"))
        print(tf.__name__, tf.__version__ == v2.__version__, tf.app.flags is tf.flags)
        print("contrib" in dir(tf), "placeholder" in dir(tf), "placeholder" in tf.__all__)
        from tensorflow import *
        # `print` is that of TensorFlow now, as on TensorFlow 1.
        import builtins
        builtins.print(placeholder is v1.placeholder, constant is v1.constant)
        """
    )
    assert lines(done) == [
        "False True True True",
        "True True",
        "True True True",
        "False",
        "tensorflow True True",
        "True True True",
        "True True",
    ]


def test_imports_by_function_calls(program):
    done = program(
        """
        import importlib
        from importlib import import_module
        import tensorflow as tf
        print(importlib.import_module("tensorflow") is tf, import_module("tensorflow") is tf)
        print(__import__("tensorflow") is tf, eval("__import__('tensorflow')") is tf)
        print(__import__("tensorflow.contrib.training") is tf)
        print(__import__("tensorflow.contrib.training", fromlist=["HParams"]).HParams.__name__)
        print(import_module("tensorflow.contrib.training").HParams.__name__)
        print(import_module("tensorflow.keras.layers") is tf.keras.layers)
        print(import_module("tensorflow.python.framework.ops").Graph is tf.Graph)
        print(import_module("json.decoder").__name__, import_module(".decoder", "json").__name__)
        # An installed library calls it.
        import pkgutil
        print(hasattr(pkgutil.resolve_name("tensorflow"), "placeholder"))
        """
    )
    assert lines(done) == [
        "True True",
        "True True",
        "True",
        "HParams",
        "HParams",
        "True",
        "True",
        "json.decoder json.decoder",
        "False",
    ]


def test_parts_of_the_implementation_of_contrib(program):
    pytest.importorskip("tf_slim")
    done = program(
        """
        import tensorflow as tf
        import tensorflow.contrib.slim.nets.vgg as vgg
        import tensorflow.contrib.layers.python.layers.initializers as initializers
        from tensorflow.contrib.framework.python.ops import add_arg_scope, arg_scope, variables
        from tensorflow.contrib.layers.python.layers import layers, regularizers, utils
        from tensorflow.contrib.slim.python.slim.nets import resnet_v1
        from tensorflow.contrib.tpu.python.tpu import tpu_config
        from tensorflow.contrib.training.python.training.hparam import HParams
        print(vgg.vgg_16.__name__, initializers.xavier_initializer.__name__)
        print(add_arg_scope.__name__, arg_scope.__name__, variables.get_variables.__name__)
        print(layers.conv2d.__name__, utils.last_dimension.__name__)
        print(regularizers.l2_regularizer is tf.contrib.layers.l2_regularizer)
        print(resnet_v1.resnet_v1_50.__name__, HParams is tf.contrib.training.HParams)
        print(tpu_config.TPUConfig is tf.contrib.tpu.TPUConfig)
        util = tf.contrib.util
        print(util.make_ndarray(util.make_tensor_proto([1, 2])).tolist())
        """
    )
    assert lines(done) == [
        "vgg_16 xavier_initializer",
        "add_arg_scope arg_scope get_variables",
        "convolution2d last_dimension",
        "True",
        "resnet_v1_50 True",
        "True",
        "[1, 2]",
    ]


def test_only_own_files_get_it(program, tmp_path):
    library = tmp_path / "program/venv/lib/site-packages"
    library.mkdir(parents=True)
    (library / "library.py").write_text("import tensorflow as tf\n")
    (tmp_path / "program/package").mkdir()
    (tmp_path / "program/package/__init__.py").write_text("from package.model import tf\n")
    (tmp_path / "program/package/model.py").write_text("import tensorflow as tf\n")
    code = f"""
        import sys
        sys.path.append({str(library)!r})
        import library, package
        import tensorflow as tf
        print(hasattr(library.tf, "placeholder"), hasattr(library.tf, "contrib"))
        print(hasattr(package.tf, "placeholder"), package.tf is tf)
        print("tensorflow.contrib" in sys.modules, hasattr(sys.modules["tensorflow"], "contrib"))
        """
    assert lines(program(code)) == ["False False", "True True", "False False"]
    done = program(code, "--tf1-package", "library")
    assert lines(done) == ["True True", "True True", "False False"]


def test_it_runs_as_on_tensorflow_1(program):
    done = program(
        """
        import tensorflow as tf
        flags = tf.app.flags
        flags.DEFINE_integer("steps", 1, "Steps.")
        FLAGS = flags.FLAGS

        def main(unused):
            x = tf.placeholder(tf.float32, [None, 1])
            y = tf.layers.dense(x, 1, kernel_initializer=tf.ones_initializer(), name="d")
            train = tf.train.GradientDescentOptimizer(0.1).minimize(tf.reduce_sum(y * y))
            print(tf.executing_eagerly(), x.shape[1] == tf.Dimension(1), tf.trainable_variables())
            with tf.Session() as session:
                session.run(tf.global_variables_initializer())
                for _ in range(FLAGS.steps):
                    session.run(train, {x: [[1.0]]})
                print(session.run(y, {x: [[1.0]]}).round(3))
            tf.gfile.MakeDirs("made")

        if __name__ == "__main__":
            tf.app.run()
        """,
        arguments=["--steps=2"],
    )
    first, second = lines(done)
    assert first.startswith("False True [<tf.Variable 'd/kernel:0' shape=(1, 1) dtype=float32_ref>")
    assert second == "[[0.36]]"
    # Nothing but the program's own output: no deprecation of version 2 behaviour.
    assert "disable_v2" not in done.stderr
    assert "non-resource variables" not in done.stderr


def test_processes_and_pickles(program):
    done = program(
        """
        import multiprocessing, pickle
        import tensorflow as tf
        from tensorflow.contrib import layers

        def work(module):
            return module is tf, hasattr(tf, "placeholder")

        if __name__ == "__main__":
            print(pickle.loads(pickle.dumps(tf)) is tf)
            print(pickle.loads(pickle.dumps(layers)).__name__)
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                print(*pool.apply(work, (tf,)))
        """
    )
    assert lines(done) == ["True", "tensorflow.contrib.layers", "True True"]


def test_tracebacks_show_the_programs_lines_only(program):
    done = program(
        "import model\n",
        model="import tensorflow as tf\nimport other\n",
        other="import tensorflow.contrib\nraise ValueError('mine')\n",
    )
    assert done.returncode == 1
    shown = [line.strip() for line in done.stderr.splitlines() if line.startswith("  File")]
    assert [line.split("program/")[1] for line in shown if "program/" in line] == [
        'main.py", line 1, in <module>',
        'model.py", line 2, in <module>',
        'other.py", line 2, in <module>',
    ]
    assert "hubmodule" not in done.stderr


def test_bytecode_is_that_of_a_plain_run(program, tmp_path):
    files = {"model": "import tensorflow as tf\nprint(hasattr(tf, 'placeholder'))\n"}
    environment = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": ""}
    assert lines(program("import model\n", environment=environment, **files)) == ["True"]
    (cached,) = (tmp_path / "program/__pycache__").glob("model.*.pyc")
    before = cached.read_bytes(), cached.stat().st_mtime_ns
    assert run_python(str(tmp_path / "program/main.py"), **environment).stdout == "False\n"
    assert lines(program("import model\n", environment=environment)) == ["True"]
    assert (cached.read_bytes(), cached.stat().st_mtime_ns) == before


def test_a_module_run_by_name(tmp_path):
    (tmp_path / "package").mkdir()
    (tmp_path / "package/__init__.py").write_text("")
    (tmp_path / "package/train.py").write_text(
        "import sys, tensorflow as tf; print(hasattr(tf, 'placeholder'), sys.argv[1:])\n"
    )
    code = "import runpy; runpy.run_module('hubmodule', run_name='__main__', alter_sys=True)"
    done = run_python(
        "-c",
        f"import os, sys; os.chdir({str(tmp_path)!r}); sys.path[0] = ''; "
        f"sys.argv[1:] = ['run', '--tf1', '-m', 'package.train', '--flag']; {code}",
    )
    assert lines(done) == ["True ['--flag']"]


def test_what_tensorflow_1_had_and_no_version_has_now(program):
    done = program(
        """
        import tensorflow as tf
        for code in ["from tensorflow.examples.tutorials.mnist import input_data",
                     "import tensorflow.no_such", "tf.no_such", "from tensorflow import no_such"]:
            try:
                exec(code)
            except (ImportError, AttributeError) as error:
                print(type(error).__name__, str(error).split("; ")[0].split(" (")[0])
        """
    )
    assert lines(done) == [
        "ModuleNotFoundError No module named 'tensorflow.examples': TensorFlow 2 does not have it",
        "ModuleNotFoundError No module named 'tensorflow.no_such'",
        "AttributeError module 'tensorflow' has no attribute 'no_such': it is not in "
        "tensorflow.compat.v1",
        "ImportError cannot import name 'no_such' from 'tensorflow'",
    ]


def test_tests_of_a_program(tmp_path):
    (tmp_path / "conftest.py").write_text(
        "import hubmodule\nhubmodule.enable_tensorflow_1(__file__)\n"
    )
    (tmp_path / "program.py").write_text("import tensorflow as tf\n")
    (tmp_path / "test_program.py").write_text(
        textwrap.dedent(
            """
            import tensorflow as tf
            import program

            def test_it():
                assert program.tf is tf
                assert isinstance(tf.placeholder(tf.float32), tf.Tensor)
            """
        )
    )
    for options in ([], ["-n1"]):
        done = run_python(
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            *options,
            str(tmp_path),
            "--rootdir",
            str(tmp_path),
        )
        assert "1 passed" in done.stdout, done.stdout


def test_coverage_measures_the_programs_lines(tmp_path):
    pytest.importorskip("coverage")
    main = tmp_path / "main.py"
    main.write_text(
        "import tensorflow as tf\nif hasattr(tf, 'placeholder'):\n    a = 1\nelse:\n    a = 2\n"
    )
    # Another configuration than the one that measures this project.
    (tmp_path / "rc").write_text("[run]\n")
    options = [f"--rcfile={tmp_path}/rc", f"--data-file={tmp_path}/data"]
    program = ["-m", "hubmodule", "run", "--tf1", str(main)]
    done = run_python("-m", "coverage", "run", *options, f"--include={main}", *program)
    assert done.returncode == 0, done.stderr
    done = run_python("-m", "coverage", "report", *options, "-m")
    assert done.stdout.splitlines()[-1].split()[1:] == ["4", "1", "75%"], done.stdout


def test_code_that_the_program_executes_is_its_own(program):
    done = program(
        """
        import pathlib, timeit
        config = pathlib.Path(__file__).with_name("config.py")
        for namespace in ({}, {"__name__": "config"}, globals()):
            exec(config.read_text(), namespace)
            print(namespace["tf"].__name__, hasattr(namespace["tf"], "placeholder"))
        # An installed library executes this.
        timeit.timeit("import tensorflow; assert not hasattr(tensorflow, 'placeholder')", number=1)
        """,
        config="import tensorflow as tf",
    )
    assert lines(done) == ["tensorflow True"] * 3


def test_names_of_the_implementation_that_moved(program):
    done = program(
        """
        from tensorflow.python import pywrap_tensorflow
        from tensorflow.python.framework import graph_util
        import tensorflow.python.ops.control_flow_ops as control_flow_ops
        import tensorflow as tf
        print(pywrap_tensorflow.NewCheckpointReader is tf.train.NewCheckpointReader)
        convert = tf.graph_util.convert_variables_to_constants
        print(graph_util.convert_variables_to_constants is convert)
        print(control_flow_ops.while_loop is tf.while_loop)
        """
    )
    assert lines(done) == ["True"] * 3
    # TensorFlow warns of some old modules when they are imported.
    assert "fix your imports" not in done.stderr


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
