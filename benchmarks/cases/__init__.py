"""The cases: what to measure, and the targets.

Each file has a TITLE, the MODULES of benchmarks.modules that it needs, and TARGETS.
measure(library, folder, measurement) does the work with a library, "hubmodule" or
"tensorflow_hub", on the modules in a folder, under `with measurement():`. If TensorFlow itself
takes some of the time, measure_floor(folder, measurement) does only this part.
"""
