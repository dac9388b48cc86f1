"""Programs run as Python runs them, with what old programs need."""

from __future__ import annotations

import os
import signal
import sys
import textwrap
import zipapp

import pytest

from tests.processes import run_python


@pytest.fixture
def script(tmp_path):
    """Writes a script; returns its path."""

    def write(code, name="script.py"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(textwrap.dedent(code))
        return str(path)

    return write


def run_hubmodule(*arguments, **kwargs):
    return run_python("-m", "hubmodule", "run", *arguments, **kwargs)


def test_a_script_has_its_own_world(script):
    path = script(
        """
        import sys, __main__
        print(__name__, __file__ == sys.argv[0], sys.argv[1:], sys.stdin.read())
        print(__main__.__dict__ is globals(), __spec__, __package__)
        print(sys.path[0] == __file__.rpartition("/")[0], "tensorflow" in sys.modules)
        class Mine: pass
        import pickle
        print(type(pickle.loads(pickle.dumps(Mine()))) is Mine)
        sys.exit(7)
        """
    )
    done = run_hubmodule(path, "a", "-m", "--no-alias", stdin="typed")
    assert done.stdout.splitlines() == [
        "__main__ True ['a', '-m', '--no-alias'] typed",
        "True None None",
        "True False",
        "True",
    ]
    assert done.returncode == 7


@pytest.mark.parametrize("options", [[], ["--tf1"]])
def test_a_program_from_standard_input_has_its_own_world(options):
    code = """
        import sys, __main__
        print(__name__, "__file__" in globals(), sys.argv, repr(sys.path[0]))
        print(__main__.__dict__ is globals(), __spec__, __package__, sys.stdin.read() == "")
        import tensorflow as tf, tensorflow_hub
        print(hasattr(tf, "placeholder"), tensorflow_hub.__version__[:4])
        def fail():
            sys.exit(7)
        fail()
        """
    done = run_hubmodule(*options, "-", "a", "-m", stdin=textwrap.dedent(code))
    assert done.stdout.splitlines() == [
        "__main__ False ['-', 'a', '-m'] ''",
        "True None None True",
        f"{bool(options)} 0.15",
    ]
    assert done.returncode == 7


def test_errors_of_a_program_from_standard_input_name_its_lines():
    done = run_hubmodule("-", stdin="x = 1\nraise ValueError('mine')\n")
    assert done.stderr.splitlines()[:2] == [
        "Traceback (most recent call last):",
        '  File "<stdin>", line 2, in <module>',
    ]
    assert done.stderr.splitlines()[-1] == "ValueError: mine"
    done = run_hubmodule("-", stdin="def f(:\n")
    assert done.stderr.splitlines()[0] == '  File "<stdin>", line 1'
    assert (done.stderr.splitlines()[-1], done.returncode) == ("SyntaxError: invalid syntax", 1)


def test_a_script_named_by_a_relative_path_is_found_from_everywhere(script, tmp_path):
    script(
        """
        import inspect, os, sys
        class Mine: pass
        os.chdir("/")
        print(os.path.samefile(__file__, __loader__.path), sys.argv[0], inspect.getsource(Mine))
        print(sys.modules["builtins"] is __builtins__, __annotations__)
        """
    )
    relative = os.path.relpath(tmp_path / "script.py")
    done = run_hubmodule(relative)
    assert done.stdout.splitlines() == [f"True {relative} class Mine: pass", "", "True {}"], (
        done.stderr
    )


@pytest.mark.parametrize("packed", [False, True], ids=["directory", "zip"])
def test_a_directory_or_an_archive_runs_its_main(script, tmp_path, packed):
    script("import sys, beside; print(__name__, repr(__package__), sys.argv[1:])", "p/__main__.py")
    script("print(__name__)", "p/beside.py")
    path = str(tmp_path / "p")
    if packed:
        zipapp.create_archive(path, path := str(tmp_path / "p.pyz"))
    done = run_hubmodule(path, "--flag")
    assert done.stdout.splitlines() == ["beside", "__main__ '' ['--flag']"], done.stderr


def test_a_directory_without_a_main_says_so(tmp_path):
    done = run_hubmodule(str(tmp_path))
    assert done.stderr.endswith(f"can't find '__main__' module in {str(tmp_path)!r}\n")
    assert done.returncode == 1


def test_a_module_has_its_own_world(script, tmp_path):
    script("", "package/__init__.py")
    script(
        """
        import sys
        print(__name__, __spec__.name, __package__, sys.argv[1:], sys.argv[0] == __file__)
        """,
        "package/__main__.py",
    )
    code = f"import os, runpy, sys; os.chdir({str(tmp_path)!r}); sys.argv[1:] = ['run', '-m', " + (
        "'package', '--flag']; sys.path[0] = ''; "
        "runpy.run_module('hubmodule', run_name='__main__', alter_sys=True)"
    )
    done = run_python("-c", code)
    assert done.stdout.splitlines() == ["__main__ package.__main__ package ['--flag'] True"], (
        done.stderr
    )


def test_the_traceback_is_that_of_the_script(script):
    path = script(
        """
        def fail():
            raise ValueError("mine")
        fail()
        """
    )
    ours, python = run_hubmodule(path), run_python(path)
    assert "ValueError: mine" in ours.stderr
    assert ours.stderr == python.stderr
    assert ours.returncode == python.returncode == 1


def test_a_syntax_error_is_that_of_the_script(script):
    path = script("x = = 1")
    ours, python = run_hubmodule(path), run_python(path)
    assert "SyntaxError" in ours.stderr
    assert ours.stderr.splitlines()[-4:] == python.stderr.splitlines()[-4:]
    assert not [line for line in ours.stderr.splitlines() if "hubmodule/run.py" in line]


def test_an_error_of_hubmodule_has_a_traceback_too(script):
    path = script(
        """
        from hubmodule._plain_errors import HubModuleError
        raise HubModuleError("mine")
        """
    )
    done = run_hubmodule(path)
    assert "line 3, in <module>" in done.stderr
    assert done.stderr.splitlines()[-1] == "hubmodule._plain_errors.HubModuleError: mine"


def test_a_hook_of_the_script_sees_the_script_only(script):
    path = script(
        """
        import sys, traceback
        sys.excepthook = lambda kind, error, trace: print(len(traceback.extract_tb(trace)))
        raise ValueError
        """
    )
    assert run_hubmodule(path).stdout.splitlines() == ["1"]


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_processes_that_are_started_afresh_have_what_the_program_has(script, method):
    path = script(
        f"""
        import concurrent.futures, multiprocessing
        import tensorflow_hub as hub

        def estimator():
            import tensorflow as tf
            return hub.__version__, tf.estimator.Estimator.__name__

        if __name__ == "__main__":
            context = multiprocessing.get_context("{method}")
            # Unlike a multiprocessing.Pool, it gives up where a process cannot start.
            with concurrent.futures.ProcessPoolExecutor(1, context) as pool:
                print(*pool.submit(estimator).result())
        """
    )
    done = run_hubmodule(path)
    assert done.stdout.startswith("0.15.0+hubmodule"), done.stderr
    assert done.stdout.endswith("EstimatorV2\n")


@pytest.mark.parametrize("options", [[], ["--no-alias"]], ids=["alias", "no alias"])
def test_workers_of_xdist_have_what_the_program_has(script, options):
    pytest.importorskip("xdist")
    expected = options == []
    path = script(
        f"""
        import os, sys
        alias = sys.modules.get("tensorflow_hub")

        def test_worker():
            assert os.environ["PYTEST_XDIST_WORKER"] == "gw0"
            assert getattr(alias, "__version__", "").startswith("0.15.0+hubmodule") is {expected}

        def test_estimator():
            import tensorflow as tf
            assert tf.estimator.Estimator.__name__ == "EstimatorV2"
        """,
        "test_program.py",
    )
    done = run_hubmodule(*options, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n1", path)
    assert done.stdout.splitlines()[-1].startswith("2 passed"), done.stdout


def test_gateways_of_execnet_have_the_alias(script):
    pytest.importorskip("execnet")
    path = script(
        """
        import execnet
        code = "import sys; channel.send('tensorflow_hub' in sys.modules)"
        print(execnet.makegateway("popen").remote_exec(code).receive())
        print(execnet.Group().makegateway().remote_exec(code).receive())
        """
    )
    done = run_hubmodule(path)
    assert done.stdout.splitlines() == ["True", "True"], done.stderr


def test_an_interrupt_ends_it_as_it_ends_python(script, interruptible):
    path = script("import os, signal; os.kill(os.getpid(), signal.SIGINT); print('not reached')")
    done = run_hubmodule(path)
    assert done.returncode == -signal.SIGINT
    assert "hubmodule/run.py" not in done.stderr


def test_a_script_that_is_not_there():
    done = run_hubmodule("/no/such/script.py")
    assert "can't open file '/no/such/script.py': [Errno 2]" in done.stderr
    assert done.returncode == 2


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("no_such_module", "No module named no_such_module"),
        ("sys", "No code object available for sys"),
        ("json", "No module named json, or none that can be run"),
    ],
)
def test_a_module_that_cannot_be_run(name, message):
    done = run_hubmodule("-m", name)
    assert message in done.stderr
    assert done.returncode == 1


def test_no_alias_leaves_tensorflow_hub(script):
    path = script(
        """
        import importlib.util, sys
        print("tensorflow_hub" in sys.modules)
        """
    )
    assert run_hubmodule("--no-alias", path).stdout.splitlines() == ["False"]
    assert run_hubmodule(path).stdout.splitlines() == ["True"]


def test_an_old_program_runs_as_it_is(script, tmp_path):
    path = script(
        """
        import os
        os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
        import tensorflow.compat.v1 as tf
        import tensorflow_hub as hub

        tf.disable_v2_behavior()

        def module_fn():
            x = tf.placeholder(tf.float32, [None, 1])
            hub.add_signature(inputs=x, outputs=tf.layers.dense(x, 1, name="dense"))

        spec = hub.create_module_spec(module_fn)

        def model_fn(features, labels, mode):
            module = hub.Module(spec, trainable=True)
            hub.register_module_for_export(module, "line")
            y = module(features["x"])
            if mode == tf.estimator.ModeKeys.PREDICT:
                return tf.estimator.EstimatorSpec(mode, predictions=y)
            loss = tf.losses.mean_squared_error(labels, y)
            optimizer = tf.train.GradientDescentOptimizer(0.1)
            train_op = optimizer.minimize(loss, tf.train.get_global_step())
            return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)

        def input_fn():
            x = tf.constant([[0.0], [1.0]])
            return tf.data.Dataset.from_tensors(({"x": x}, 2 * x + 1)).repeat()

        def serving_input_fn():
            x = {"x": tf.placeholder(tf.float32, [None, 1])}
            return tf.estimator.export.ServingInputReceiver(x, x)

        exporter = hub.LatestModuleExporter("tf_hub", serving_input_fn)
        estimator = tf.estimator.Estimator(model_fn, os.path.join(os.path.dirname(__file__), "m"))
        tf.estimator.train_and_evaluate(
            estimator,
            tf.estimator.TrainSpec(input_fn, max_steps=200),
            tf.estimator.EvalSpec(input_fn, steps=1, exporters=exporter),
        )
        root = os.path.join(estimator.model_dir, "export", "tf_hub")
        with tf.Graph().as_default():
            y = hub.Module(os.path.join(root, os.listdir(root)[0], "line"))([[2.0]])
            with tf.Session() as session:
                session.run(tf.global_variables_initializer())
                print(round(float(session.run(y)[0, 0]), 1))
        """
    )
    done = run_hubmodule(path)
    assert done.stdout.splitlines() == ["5.0"], done.stderr


def test_without_the_packages_the_estimator_says_so_when_it_is_used(script):
    path = script(
        """
        import tensorflow as tf
        from tensorflow.compat.v1 import estimator
        print(tf.reduce_sum([1, 2]).numpy())
        tf.estimator.Estimator
        """
    )
    blocker = script(
        """
        import runpy, sys
        import importlib.metadata
        version = importlib.metadata.version
        importlib.metadata.version = lambda name: "3.0" if name == "keras" else version(name)
        sys.modules["tf_keras"] = None
        sys.argv[1:] = ["run", *sys.argv[1:]]
        runpy.run_module("hubmodule", run_name="__main__", alter_sys=True)
        """,
        "blocker.py",
    )
    done = run_python(blocker, path)
    assert done.stdout.splitlines() == ["3"], done.stderr
    assert "hubmodule: tf-keras is not installed: no tf.estimator and no tf.layers" in done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith("hubmodule.errors.EstimatorUnavailableError: Keras 2 is missing")
    assert "pip install --no-deps tf-estimator-nightly" in last


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
