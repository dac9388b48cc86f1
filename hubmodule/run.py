"""Runs a program, as `python` does, with tensorflow_hub aliased and tf.estimator enabled."""

from __future__ import annotations

import builtins
import importlib.util
import io
import os
import pkgutil
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import BuiltinImporter, ModuleSpec, SourceFileLoader
from types import CodeType, ModuleType, TracebackType
from typing import Any, NamedTuple

from hubmodule import alias
from hubmodule.estimator import keras2
from hubmodule.estimator.namespaces import set_everywhere
from hubmodule.legacy import tensorflow1
from hubmodule.legacy.own_files import OwnFiles

# Files in each traceback of a program that are not its own.
_RUNNER = (__file__, "<frozen importlib._bootstrap>", "<frozen importlib._bootstrap_external>")

_STANDARD_INPUT = "-"


class Program(NamedTuple):
    """A program to run.

    Attributes:
        name: Path of a script, directory or zip archive; "-", which is standard input; or the
            name of a module.
        is_module: Whether `name` is the name of a module.
        arguments: The program's command-line arguments.
    """

    name: str
    is_module: bool
    arguments: list[str]


class Preparation(NamedTuple):
    """What a process needs before a program runs in it.

    Attributes:
        use_alias: Whether `import tensorflow_hub` gives hubmodule.
        use_tensorflow_1: Whether `import tensorflow` gives the API of TensorFlow 1 in the
            program's own files.
        packages: Top-level packages that are the program's own.
        directories: Directories with files of the program.
    """

    use_alias: bool = True
    use_tensorflow_1: bool = False
    packages: tuple[str, ...] = ()
    directories: tuple[str, ...] = ()


def run(preparation: Preparation, program: Program) -> None:
    """Runs a program in this process; the program decides how the process ends.

    Args:
        preparation: What the process needs; the directories of the program are added to it.
        program: The program and its arguments.
    """
    prepare(_add_program(preparation, program))
    _execute(program)


def enable_tensorflow_1(*paths: str, packages: Sequence[str] = ()) -> None:
    """Does in this process what `hubmodule run --tf1` does, for example in a `conftest.py`.

    From then on, `import tensorflow` in the program's own files gives the API of TensorFlow 1, with
    `tf.contrib`, and the version 2 behaviour of TensorFlow is off in this process. `import
    tensorflow_hub` gives hubmodule, and `tf.estimator` works. Does not import TensorFlow.

        import hubmodule

        hubmodule.enable_tensorflow_1(__file__)  # before the first import of TensorFlow

    Args:
        *paths: Files and directories of the program: a directory stands for all files below it, a
            file for those of its directory, so that `__file__` does. None is the current directory.
        packages: Top-level packages that belong to the program wherever they are installed.

    Raises:
        AliasError: This process has already imported tensorflow_hub itself.
        EstimatorUnavailableError: `tf.keras` cannot be Keras 2 any more.
    """
    directories = [
        path if os.path.isdir(path) else os.path.dirname(os.path.abspath(path))
        for path in (paths or (os.getcwd(),))
    ]
    prepare(
        Preparation(use_tensorflow_1=True, packages=tuple(packages), directories=tuple(directories))
    )


def prepare(preparation: Preparation) -> None:
    """Installs the alias now, and enables the Estimator when this process imports TensorFlow.

    Does not import TensorFlow, so that the program can still set environment variables for it.

    Args:
        preparation: What the process needs.
    """
    if preparation.use_alias:
        alias.install_alias()
    if preparation.use_tensorflow_1:
        tensorflow1.use_tensorflow_1(OwnFiles(preparation.directories, preparation.packages))
    if not keras2.needs_tf_keras() or keras2.is_tf_keras_installed():
        keras2.use_keras_2()
    else:
        print(
            "hubmodule: tf-keras is not installed: no tf.estimator and no tf.layers; "
            f"{keras2.make_install_command()}",
            file=sys.stderr,
        )
    # TensorFlow itself depends on wrapt.
    import wrapt

    wrapt.register_post_import_hook(_offer_estimator, "tensorflow")
    wrapt.register_post_import_hook(_make_spawn_hook(preparation), "multiprocessing.spawn")
    # pytest-xdist starts its workers with execnet.
    wrapt.register_post_import_hook(_make_execnet_hook(preparation), "execnet.multi")


def _add_program(preparation: Preparation, program: Program) -> Preparation:
    """Adds where the files of a program are."""
    if program.is_module:
        packages = (*preparation.packages, program.name.split(".")[0])
        return preparation._replace(packages=packages, directories=(os.getcwd(),))
    if program.name == _STANDARD_INPUT:
        # Its module has no file.
        packages = (*preparation.packages, "__main__")
        return preparation._replace(packages=packages, directories=(os.getcwd(),))
    path = os.path.realpath(program.name)
    directory = path if os.path.isdir(path) else os.path.dirname(path)
    # The modules of a zip archive have paths below the archive's own.
    return preparation._replace(directories=(directory, path))


def _offer_estimator(tensorflow: ModuleType) -> None:
    """Enables the Estimator; if it is not available, its first use raises the error."""
    from hubmodule.errors import EstimatorUnavailableError
    from hubmodule.estimator import bridge

    try:
        bridge.enable_estimator()
    except EstimatorUnavailableError as error:
        unavailable = _Unavailable(error)
        set_everywhere("estimator", v1=unavailable, v2=unavailable)


def _make_spawn_hook(preparation: Preparation) -> Callable[[ModuleType], None]:
    """Makes a hook that prepares the processes that multiprocessing spawns.

    They import the program again. If that failed, a pool would start new processes for ever.
    """

    def hook(spawn: ModuleType) -> None:
        get_original_data = spawn.get_preparation_data

        def get_preparation_data(name: str) -> dict[str, Any]:
            return {**get_original_data(name), "hubmodule": _PrepareWhenUnpickled(preparation)}

        spawn.get_preparation_data = get_preparation_data  # type: ignore[attr-defined]

    return hook


def _make_execnet_hook(preparation: Preparation) -> Callable[[ModuleType], None]:
    """Makes a hook that prepares the Python processes that execnet starts on this machine."""
    code = f"from hubmodule.run import Preparation, prepare; prepare({preparation!r})"

    def hook(multi: Any) -> None:
        make_gateway = multi.Group.makegateway

        def makegateway(group: Any, spec: Any = None) -> Any:
            gateway = make_gateway(group, spec)
            if gateway.spec.popen:
                gateway.remote_exec(code).waitclose()
            return gateway

        multi.Group.makegateway = makegateway
        multi.makegateway = multi.default_group.makegateway

    return hook


class _PrepareWhenUnpickled(NamedTuple):
    """A value that prepares the process in which it is unpickled."""

    preparation: Preparation

    def __reduce__(self) -> tuple[Any, ...]:
        return prepare, (self.preparation,)


class _Unavailable(ModuleType):
    """A stand-in for `tf.estimator` that raises an error for each name in it."""

    def __init__(self, error: Exception):
        super().__init__("tensorflow.estimator")
        self._error = error

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        raise self._error


def _load(program: Program) -> tuple[ModuleType, CodeType]:
    """Makes the program's `__main__` module; returns it and the code to run in it."""
    if program.is_module:
        return _load_module(program)
    if program.name == _STANDARD_INPUT:
        return _load_standard_input(program)
    # Absolute, as in Python: tracebacks show it, and it is found after os.chdir().
    path = os.path.abspath(program.name)
    archive = pkgutil.get_importer(path)
    return _load_script(program, path) if archive is None else _load_archive(program, archive)


def _load_script(program: Program, path: str) -> tuple[ModuleType, CodeType]:
    try:
        with io.open_code(path) as file:
            source = file.read()
    except OSError as error:
        print(
            f"{sys.executable}: can't open file {path!r}: [Errno {error.errno}] {error.strerror}",
            file=sys.stderr,
        )
        raise SystemExit(2) from None
    _set_arguments(program, os.path.dirname(os.path.realpath(path)))
    main_module = _make_main_module(None, path, SourceFileLoader("__main__", path))
    return main_module, compile(source, path, "exec", dont_inherit=True)


def _load_standard_input(program: Program) -> tuple[ModuleType, CodeType]:
    source = sys.stdin.buffer.read()
    _set_arguments(program, "")
    main_module = _make_main_module(None, None, BuiltinImporter)
    # As in Python, a program without a file does not know one.
    del main_module.__file__, main_module.__cached__
    return main_module, compile(source, "<stdin>", "exec", dont_inherit=True)


def _load_archive(program: Program, archive: Any) -> tuple[ModuleType, CodeType]:
    """Loads `__main__.py` of a directory or zip archive, which can import the files beside it."""
    spec = archive.find_spec("__main__")
    if spec is None:
        raise SystemExit(f"{sys.executable}: can't find '__main__' module in {program.name!r}")
    _set_arguments(program, os.path.abspath(program.name))
    code = spec.loader.get_code(spec.name)
    return _make_main_module(spec, spec.origin, spec.loader), code


def _load_module(program: Program) -> tuple[ModuleType, CodeType]:
    _set_arguments(program._replace(name="-m"), os.getcwd())
    spec = _find_module(program.name)
    code = spec.loader.get_code(spec.name)  # type: ignore[union-attr]
    if code is None:
        raise SystemExit(f"{sys.executable}: No code object available for {spec.name}")
    sys.argv[0] = spec.origin or program.name
    return _make_main_module(spec, spec.origin, spec.loader), code


def _find_module(name: str) -> ModuleSpec:
    """Returns the import spec of a module, or of `__main__` in a package."""
    try:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.submodule_search_locations is not None:
            spec = importlib.util.find_spec(f"{name}.__main__")
    except ModuleNotFoundError as error:
        raise SystemExit(f"{sys.executable}: No module named {error.name}") from None
    if spec is None or not hasattr(spec.loader, "get_code"):
        raise SystemExit(f"{sys.executable}: No module named {name}, or none that can be run")
    return spec


def _set_arguments(program: Program, directory: str) -> None:
    sys.argv[:] = [program.name, *program.arguments]
    # Under -P the interpreter does not add a directory, so sys.path[0] stays.
    if not getattr(sys.flags, "safe_path", False):
        sys.path[0] = directory


def _make_main_module(spec: ModuleSpec | None, file: str | None, loader: Any) -> ModuleType:
    main_module = ModuleType("__main__")
    main_module.__spec__ = spec
    main_module.__package__ = spec.parent if spec else None
    main_module.__loader__ = loader
    cached = spec.cached if spec else None
    main_module.__dict__.update(__file__=file, __builtins__=builtins, __cached__=cached)
    if sys.version_info < (3, 14):
        main_module.__annotations__ = {}
    sys.modules["__main__"] = main_module
    return main_module


def _execute(program: Program) -> None:
    try:
        main_module, code = _load(program)
        exec(code, main_module.__dict__)
    except SystemExit:
        raise
    except BaseException:
        _hide_runner_from_traceback()
        raise


def _hide_runner_from_traceback() -> None:
    """Makes sys.excepthook show an error as if Python had run the program itself."""
    show = sys.excepthook

    def show_from_program(
        kind: type[BaseException], error: BaseException, traceback: TracebackType | None
    ) -> None:
        while traceback and traceback.tb_frame.f_code is not _execute.__code__:
            traceback = traceback.tb_next
        while traceback and traceback.tb_frame.f_code.co_filename in _RUNNER:
            traceback = traceback.tb_next
        traceback = tensorflow1.remove_importer_frames(traceback)
        show(kind, error.with_traceback(traceback), traceback)

    sys.excepthook = show_from_program
