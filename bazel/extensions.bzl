"""The module extension of MODULE.bazel; Bazels before 5 can not read this file."""

load("//bazel:python_configure.bzl", "python_repository")

def _local_python_impl(_ctx):
    python_repository(
        name = "local_config_python",
        rules_python = True,
        stub_shebang = True,
    )

local_python = module_extension(implementation = _local_python_impl)
