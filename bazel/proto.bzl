"""py_proto: Python modules from .proto files, with no network."""

load("@rules_python//python:defs.bzl", "py_library")

def py_proto(name, protos, **kwargs):
    """Makes X_pb2.py in this package for each X.proto of //proto.

    Args:
      name: the py_library's name.
      protos: labels of .proto files.
      **kwargs: passed to the py_library.
    """
    package = native.package_name()
    root = "/".join(["$(RULEDIR)"] + [".." for _ in package.split("/")])
    outs = []
    for proto in protos:
        base = proto.split(":")[-1][:-len(".proto")]
        out = base + "_pb2.py"
        native.genrule(
            name = base + "_pb2_gen",
            srcs = [proto],
            outs = [out],
            # -Ivirtual=physical: proto/X.proto on disk is PACKAGE/X.proto to
            # protoc, so PACKAGE/X_pb2.py is written, and the descriptor
            # pool's file name can not clash with another package's.
            cmd = ("$(location @local_config_python//:protoc)" +
                   " -I{pkg}=$$(dirname $(location {proto}))" +
                   " --python_out={root} {pkg}/{base}.proto").format(
                base = base,
                pkg = package,
                proto = proto,
                root = root,
            ),
            tools = ["@local_config_python//:protoc"],
        )
        outs.append(out)
    py_library(
        name = name,
        srcs = outs,
        **kwargs
    )
