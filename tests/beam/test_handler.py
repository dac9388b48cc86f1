"""ModuleHandler: modules in RunInference, with each option of Beam's handlers."""

from __future__ import annotations

import gc
import pickle
import sys
import weakref

import numpy as np
import pytest
import tensorflow as tf

import hubmodule as hub
from tests.beam.modules import export_numbers, export_words
from tests.skipping import skip_without

skip_without("apache_beam", __name__)

import apache_beam as beam
from apache_beam.ml.inference.base import (
    KeyedModelHandler,
    KeyModelMapping,
    ModelMetadata,
    PredictionResult,
    RunInference,
)
from apache_beam.testing.util import assert_that, equal_to
from apache_beam.transforms.window import FixedWindows, TimestampedValue

from hubmodule.beam import ModuleHandler
from tests.beam.collecting import collect

v1 = tf.compat.v1


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return export_numbers(tmp_path_factory.mktemp("module") / "m")


@pytest.fixture(scope="module")
def next_version(tmp_path_factory):
    return export_numbers(tmp_path_factory.mktemp("module") / "next", shift=1000.0)


def infer(handler, elements, **options):
    """What RunInference makes from elements: pairs of an element and its inference."""
    with beam.Pipeline() as pipeline:
        results = pipeline | beam.Create(elements) | RunInference(handler, **options)
        pairs = results | "pair" >> beam.Map(lambda r: (r.example, r.inference))
        found = collect(pairs)
    return list(found)


def test_results_equal_those_of_eval_function_for_module_to_the_bit(tmp_path):
    path = export_words(tmp_path / "words")
    sentences = [f"sentence {n} of a corpus of {n % 7}" for n in range(500)]
    with hub.eval_function_for_module(path) as f:
        expected = {s: row.tobytes() for s, row in zip(sentences, f(sentences), strict=True)}
    found = infer(ModuleHandler(path), sentences)
    assert {sentence: row.tobytes() for sentence, row in found} == expected


def test_a_result_names_the_element_and_the_handle(path):
    with beam.Pipeline() as pipeline:
        results = pipeline | beam.Create(["1"]) | RunInference(ModuleHandler(path))
        assert_that(results, equal_to([PredictionResult("1", np.float32(1.0), path)]))


def test_dicts_of_inputs_and_several_outputs(path):
    # The batch has one scale, so the elements leave it out.
    found = infer(
        ModuleHandler(path, "scale", output=["scaled", "x"]),
        [{"x": 1.0}, {"x": 2.0}],
        inference_args={"scale": 10.0},
    )
    assert sorted(found, key=lambda pair: pair[0]["x"]) == [
        ({"x": 1.0}, {"scaled": 10.0, "x": 1.0}),
        ({"x": 2.0}, {"scaled": 20.0, "x": 2.0}),
    ]


def test_tags(path):
    assert infer(ModuleHandler(path, tags={"shifted"}), ["1"]) == [("1", 101.0)]


def test_sparse_elements(path):
    element = v1.SparseTensorValue(np.array([[0], [2]]), np.array([1.0, 2.0]), np.array([3]))
    ((_, total),) = infer(ModuleHandler(path, "sparse"), [element])
    assert total == 3.0


def test_ragged_elements(path):
    found = infer(ModuleHandler(path, "ragged"), [["a", "b"], []])
    assert sorted(found) == [([], b""), (["a", "b"], b"ab")]


@pytest.mark.parametrize("arguments", [["scale"], {1: 2.0}], ids=["list", "number"])
def test_inference_args_are_checked_before_the_pipeline_runs(path, arguments):
    with pytest.raises(hub.HubModuleError, match="pass a dict from the names of inputs"):
        infer(ModuleHandler(path), ["1"], inference_args=arguments)


def test_unknown_inference_args_end_the_pipeline(path):
    with pytest.raises(Exception, match=r"no inputs \['y'\]"):
        infer(ModuleHandler(path), ["1"], inference_args={"y": 1.0})


class TestBatches:
    @pytest.fixture
    def sizes(self, monkeypatch):
        """The sizes of the batches that the module gets."""
        sizes = []
        try_elements = hub.ModuleApplier.try_elements

        def record(self, elements, inputs=None):
            sizes.append(len(elements))
            return try_elements(self, elements, inputs)

        monkeypatch.setattr(hub.ModuleApplier, "try_elements", record)
        return sizes

    def test_the_last_batch_is_smaller(self, path, sizes):
        found = infer(ModuleHandler(path, min_batch_size=4, max_batch_size=4), map(str, range(10)))
        assert sorted(value for _, value in found) == list(range(10))
        assert sizes == [4, 4, 2]

    def test_batches_made_before(self, path, sizes):
        handler = ModuleHandler(path).with_no_batching()
        assert sorted(infer(handler, [["1", "2", "3"], ["4"]])) == [
            ("1", 1.0),
            ("2", 2.0),
            ("3", 3.0),
            ("4", 4.0),
        ]
        assert sorted(sizes) == [1, 3]

    def test_the_options_reach_beam(self, path):
        options = {
            "min_batch_size": 1,
            "max_batch_size": 2,
            "max_batch_duration_secs": 3,
            "element_size_fn": len,
        }
        assert ModuleHandler(path, **options).batch_elements_kwargs() == options


class TestFailures:
    ELEMENTS = [*map(str, range(20)), "bad"]

    def run(self, handler, elements=ELEMENTS):
        """The good elements, and for each kind of dead letters the elements and errors."""
        with beam.Pipeline() as pipeline:
            results, dead = (
                pipeline | beam.Create(elements) | RunInference(handler).with_exception_handling()
            )
            good = collect(results)
            inference = collect(dead.failed_inferences)
            postprocessing = [collect(letters) for letters in dead.failed_postprocessing]
        return good, inference, [letter for kind in postprocessing for letter in kind]

    def test_an_element_fails_alone(self, path):
        good, inference, postprocessing = self.run(ModuleHandler(path, min_batch_size=21))
        assert sorted(result.inference for result in good) == list(range(20))
        assert inference == []
        ((result, (kind, text, _)),) = postprocessing
        assert result.example == "bad"
        assert kind.__name__ == "ElementError"
        assert "could not correctly convert string: bad" in text

    def test_without_handling_it_ends_the_pipeline(self, path):
        with pytest.raises(Exception, match="cannot compute the element 'bad'"):
            infer(ModuleHandler(path), self.ELEMENTS)

    def test_a_keyed_element_fails_alone(self, path):
        handler = ModuleHandler(path, keyed=True, min_batch_size=3)
        good, inference, ((letter, _),) = self.run(handler, [(0, "1"), (1, "bad"), (2, "3")])
        assert sorted((key, result.inference) for key, result in good) == [(0, 1.0), (2, 3.0)]
        assert inference == []
        assert (letter[0], letter[1].example) == (1, "bad")

    def test_a_batch_may_fail_as_a_whole(self, path):
        handler = ModuleHandler(path, isolate_failures=False, min_batch_size=3)
        good, ((batch, (_, text, _)),), postprocessing = self.run(handler, ["1", "bad", "3"])
        assert (good, postprocessing) == ([], [])
        assert sorted(batch) == ["1", "3", "bad"]
        assert "cannot compute a batch of 3 elements: InvalidArgumentError" in text

    def test_a_module_that_is_missing_is_not_blamed_on_elements(self, tmp_path):
        with pytest.raises(Exception, match="does not exist"):
            self.run(ModuleHandler(tmp_path / "none"))


class TestKeys:
    def test_results_keep_their_key(self, path):
        with beam.Pipeline() as pipeline:
            results = (
                pipeline
                | beam.Create([("a", "1"), ("b", "2")])
                | RunInference(ModuleHandler(path, keyed=True))
                | beam.MapTuple(lambda key, result: (key, result.example, float(result.inference)))
            )
            assert_that(results, equal_to([("a", "1", 1.0), ("b", "2", 2.0)]))

    def test_in_beams_handler_of_keys(self, path):
        handler = KeyedModelHandler(ModuleHandler(path, isolate_failures=False))
        with beam.Pipeline() as pipeline:
            results = (
                pipeline
                | beam.Create([("a", "1"), ("b", "2")])
                | RunInference(handler)
                | beam.MapTuple(lambda key, result: (key, float(result.inference)))
            )
            assert_that(results, equal_to([("a", 1.0), ("b", 2.0)]))

    def test_a_module_for_each_key(self, path, next_version):
        handlers = [
            KeyModelMapping(["a"], ModuleHandler(path, isolate_failures=False)),
            KeyModelMapping(["b"], ModuleHandler(next_version, isolate_failures=False)),
        ]
        with beam.Pipeline() as pipeline:
            results = (
                pipeline
                | beam.Create([("a", "1"), ("b", "2")])
                | RunInference(KeyedModelHandler(handlers))
                | beam.MapTuple(lambda key, result: (key, float(result.inference)))
            )
            assert_that(results, equal_to([("a", 1.0), ("b", 1002.0)]))


class TestUpdates:
    def test_another_version_while_it_runs(self, path, next_version):
        """The side input has one version until second 10, and another from then on."""
        with beam.Pipeline() as pipeline:
            versions = (
                pipeline
                | "versions" >> beam.Create([(path, 0), (next_version, 10)])
                | beam.MapTuple(lambda p, t: TimestampedValue(ModelMetadata(p, f"at {t}"), t))
                | "of versions" >> beam.WindowInto(FixedWindows(10))
            )
            results = (
                pipeline
                | "elements" >> beam.Create([("1", 1), ("2", 11), ("3", 12)])
                | "at" >> beam.MapTuple(TimestampedValue)
                | "of elements" >> beam.WindowInto(FixedWindows(10))
                | RunInference(ModuleHandler("/nowhere"), model_metadata_pcoll=versions)
                | "pick" >> beam.Map(lambda r: (r.example, float(r.inference), r.model_id))
            )
            assert_that(
                results,
                equal_to(
                    [("1", 1.0, path), ("2", 1002.0, next_version), ("3", 1003.0, next_version)]
                ),
            )

    @pytest.mark.parametrize("nothing", [None, ""])
    def test_no_path_keeps_the_handle(self, path, nothing):
        handler = ModuleHandler(path)
        handler.update_model_path(nothing)
        assert handler.load_model()(["1"]) == [1.0]

    def test_a_loaded_model_keeps_its_version(self, path, next_version):
        handler = ModuleHandler(path)
        model = handler.load_model()
        handler.update_model_path(next_version)
        assert model(["1"]) == [1.0]
        assert handler.load_model()(["1"]) == [1001.0]


class TestSharing:
    def test_threads_share_one_model(self, path, monkeypatch):
        loads = []
        load = hub.ModuleApplier.load
        monkeypatch.setattr(hub.ModuleApplier, "load", lambda self: loads.append(load(self)))
        options = beam.options.pipeline_options.PipelineOptions(
            ["--direct_num_workers=4", "--direct_running_mode=multi_threading"]
        )
        with beam.Pipeline(options=options) as pipeline:
            results = (
                pipeline
                | beam.Create(list(map(str, range(100))))
                | beam.Reshuffle()
                | RunInference(ModuleHandler(path))
                | "value" >> beam.Map(lambda result: float(result.inference))
            )
            assert_that(results, equal_to([float(n) for n in range(100)]))
        assert len(loads) == 1

    @pytest.mark.parametrize(
        ("options", "shared", "copies"),
        [({}, False, 1), ({"large_model": True}, True, 1), ({"model_copies": 2}, True, 2)],
    )
    def test_processes_share_a_large_model(self, path, options, shared, copies):
        handler = ModuleHandler(path, **options)
        assert handler.share_model_across_processes() is shared
        assert handler.model_copies() == copies
        assert sorted(infer(handler, ["1", "2"])) == [("1", 1.0), ("2", 2.0)]

    def test_a_model_is_closed_when_nothing_refers_to_it(self, path, monkeypatch):
        gc.collect()
        closed = []
        close = v1.Session.close
        monkeypatch.setattr(v1.Session, "close", lambda self: closed.append(close(self)))
        model = ModuleHandler(path).load_model()
        reference = weakref.ref(model)
        del model
        assert reference() is None
        assert closed


def test_a_handler_is_pickled_without_the_model(path):
    handler = ModuleHandler(path)
    handler.load_model()
    assert len(pickle.dumps(handler)) < 1000 + len(path)


def test_environment_variables_are_set_before_the_module_is_loaded(path, monkeypatch):
    monkeypatch.setenv("HUBMODULE_AUDIT", "wrong")
    found = infer(ModuleHandler(path, env_vars={"HUBMODULE_AUDIT": "off"}), ["1"])
    assert found == [("1", 1.0)]


def test_functions_before_and_after(path):
    handler = (
        ModuleHandler(path)
        .with_preprocess_fn(lambda number: str(number))
        .with_postprocess_fn(lambda result: PredictionResult(result.example, result.inference * 2))
    )
    assert sorted(infer(handler, [1, 2])) == [("1", 2.0), ("2", 4.0)]


def test_metrics(path):
    pipeline = beam.Pipeline()
    _ = (
        pipeline
        | beam.Create(["1", "22", "333"])
        | RunInference(ModuleHandler(path, min_batch_size=3))
    )
    metrics = (
        pipeline.run().metrics().query(beam.metrics.MetricsFilter().with_namespace("hubmodule"))
    )
    counters = {found.key.metric.name: found.result for found in metrics["counters"]}
    sizes = {found.key.metric.name: found.result for found in metrics["distributions"]}
    assert counters["num_inferences"] == 3
    assert counters.get("failed_batches_counter", 0) == 0
    assert sizes["inference_request_batch_size"].sum == 3
    assert sizes["inference_request_batch_byte_size"].sum == len("122333")
    assert sizes["load_model_latency_milli_secs"].count == 1


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
