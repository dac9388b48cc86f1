"""What became of each part of `tf.contrib` of TensorFlow 1.15.

The names are those that TensorFlow 1.15.5 has. A successor takes the same arguments as the part of
`tf.contrib`, so that a program runs unchanged; where it does not, there is only advice.
"""

from __future__ import annotations

# Import name of a package -> what pip installs.
PACKAGES = {
    "tf_slim": "tf-slim",
    "tensorflow_gan": "tensorflow-gan",
    "tensorflow_probability": "'tensorflow-probability[tf]'",
    "tensorboard": "tensorboard",
}

# Every direct part, and modules in them, also those without a successor, so that programs can
# import them.
# fmt: off
PARTS = frozenset(
    {
        "all_reduce", "autograph", "batching", "bayesflow", "bigtable", "boosted_trees",
        "checkpoint", "cloud", "cluster_resolver", "coder", "compiler",
        "constrained_optimization", "copy_graph", "crf", "cudnn_rnn", "data",
        "decision_trees", "deprecated", "distribute", "distributions", "eager", "estimator",
        "factorization", "feature_column", "ffmpeg", "framework", "gan", "graph_editor",
        "grid_rnn", "hadoop", "hooks", "image", "input_pipeline", "integrate", "kafka",
        "keras", "kernel_methods", "kinesis", "labeled_tensor", "layers", "learn",
        "legacy_seq2seq", "linear_optimizer", "lite", "lookup", "losses", "memory_stats",
        "meta_graph_transform", "metrics", "mixed_precision", "model_pruning",
        "mpi_collectives", "nccl", "nn", "opt", "optimizer_v2", "periodic_resample",
        "predictor", "proto", "quantization", "quantize", "receptive_field", "recurrent",
        "reduce_slice_ops", "remote_fused_graph", "resampler", "rnn", "rpc", "saved_model",
        "seq2seq", "session_bundle", "signal", "slim", "solvers", "sparsemax", "specs",
        "staging", "stat_summarizer", "stateless", "summary", "tensor_forest",
        "tensorboard", "tensorrt", "testing", "text", "tfprof", "timeseries", "tpu",
        "training", "util",
        "compiler.jit", "learn.datasets", "learn.learn_runner", "learn.preprocessing",
        # Never public, and imported all the same.
        "framework.python", "framework.python.ops", "layers.python", "layers.python.layers",
        "rnn.python", "rnn.python.ops", "slim.python", "slim.python.slim", "tpu.python",
        "tpu.python.tpu", "training.python", "training.python.training",
        "training.python.training.hparam",
    }
)
# fmt: on

_V1 = "tensorflow.compat.v1"

# Part of tf.contrib -> what a program gets instead. Names that are not listed are taken from the
# successor of their part, if there is one. "a.b:c.d" is the attribute c.d of the module a.b.
SUCCESSORS = {
    "autograph": f"{_V1}:autograph",
    "cluster_resolver": f"{_V1}:distribute.cluster_resolver",
    "data": f"{_V1}:data.experimental",
    "data.Dataset": f"{_V1}:data.Dataset",
    "distribute": f"{_V1}:distribute",
    "distribute.ParameterServerStrategy": (
        f"{_V1}:distribute.experimental.ParameterServerStrategy"
    ),
    "distributions": "tensorflow_probability:distributions",
    "eager.GradientTape": f"{_V1}:GradientTape",
    "eager.Variable": f"{_V1}:Variable",
    "eager.custom_gradient": f"{_V1}:custom_gradient",
    "eager.defun": f"{_V1}:function",
    "eager.executing_eagerly": f"{_V1}:executing_eagerly",
    "eager.py_func": f"{_V1}:py_func",
    "estimator.InMemoryEvaluatorHook": f"{_V1}:estimator.experimental.InMemoryEvaluatorHook",
    "estimator.add_metrics": f"{_V1}:estimator.add_metrics",
    "estimator.build_raw_supervised_input_receiver_fn": (
        f"{_V1}:estimator.experimental.build_raw_supervised_input_receiver_fn"
    ),
    "estimator.make_early_stopping_hook": f"{_V1}:estimator.experimental.make_early_stopping_hook",
    "estimator.stop_if_no_decrease_hook": f"{_V1}:estimator.experimental.stop_if_no_decrease_hook",
    "estimator.stop_if_no_increase_hook": f"{_V1}:estimator.experimental.stop_if_no_increase_hook",
    "framework": "tf_slim",
    "framework.TensorSpec": f"{_V1}:TensorSpec",
    "framework.argsort": f"{_V1}:argsort",
    "framework.assert_same_float_dtype": f"{_V1}:assert_same_float_dtype",
    "framework.assert_scalar": f"{_V1}:assert_scalar",
    "framework.convert_to_tensor_or_sparse_tensor": f"{_V1}:convert_to_tensor_or_sparse_tensor",
    "framework.create_global_step": f"{_V1}:train.create_global_step",
    "framework.get_global_step": f"{_V1}:train.get_global_step",
    "framework.get_or_create_global_step": f"{_V1}:train.get_or_create_global_step",
    "framework.init_from_checkpoint": f"{_V1}:train.init_from_checkpoint",
    "framework.is_tensor": f"{_V1}:is_tensor",
    "framework.list_variables": f"{_V1}:train.list_variables",
    "framework.load_checkpoint": f"{_V1}:train.load_checkpoint",
    "framework.load_variable": f"{_V1}:train.load_variable",
    "framework.nest": f"{_V1}:nest",
    "framework.py_func": f"{_V1}:py_func",
    "framework.python.ops": "tf_slim.ops",
    "framework.python.ops.add_arg_scope": "tf_slim:add_arg_scope",
    "framework.python.ops.arg_scope": "tf_slim:arg_scope",
    "framework.sort": f"{_V1}:sort",
    "gan": "tensorflow_gan",
    "keras": f"{_V1}:keras",
    "layers": "tf_slim.layers",
    "layers.optimize_loss": "tf_slim.layers.optimizers:optimize_loss",
    "layers.python.layers": "tf_slim.layers",
    "layers.safe_embedding_lookup_sparse": f"{_V1}:nn.safe_embedding_lookup_sparse",
    "learn.ModeKeys": f"{_V1}:estimator.ModeKeys",
    "learn.RunConfig": f"{_V1}:estimator.RunConfig",
    "lite": f"{_V1}:lite",
    "lookup.HashTable": "hubmodule.legacy.contrib_lookup:HashTable",
    "lookup.KeyValueTensorInitializer": f"{_V1}:lookup.KeyValueTensorInitializer",
    "lookup.TextFileIndex": f"{_V1}:lookup.TextFileIndex",
    "lookup.TextFileInitializer": f"{_V1}:lookup.TextFileInitializer",
    "lookup.index_table_from_file": "hubmodule.legacy.contrib_lookup:index_table_from_file",
    "lookup.index_table_from_tensor": "hubmodule.legacy.contrib_lookup:index_table_from_tensor",
    "lookup.index_to_string_table_from_file": (
        "hubmodule.legacy.contrib_lookup:index_to_string_table_from_file"
    ),
    "lookup.index_to_string_table_from_tensor": (
        "hubmodule.legacy.contrib_lookup:index_to_string_table_from_tensor"
    ),
    "losses": "tf_slim.losses",
    "metrics": "tf_slim.metrics",
    "metrics.confusion_matrix": f"{_V1}:confusion_matrix",
    "metrics.set_difference": f"{_V1}:sets.set_difference",
    "metrics.set_intersection": f"{_V1}:sets.set_intersection",
    "metrics.set_size": f"{_V1}:sets.set_size",
    "metrics.set_union": f"{_V1}:sets.set_union",
    "predictor.from_saved_model": "hubmodule.legacy.contrib_predictor:from_saved_model",
    "quantization": f"{_V1}:quantization",
    "rnn.BasicLSTMCell": f"{_V1}:nn.rnn_cell.BasicLSTMCell",
    "rnn.BasicRNNCell": f"{_V1}:nn.rnn_cell.BasicRNNCell",
    "rnn.DeviceWrapper": f"{_V1}:nn.rnn_cell.DeviceWrapper",
    "rnn.DropoutWrapper": f"{_V1}:nn.rnn_cell.DropoutWrapper",
    "rnn.GRUCell": f"{_V1}:nn.rnn_cell.GRUCell",
    "rnn.LSTMCell": f"{_V1}:nn.rnn_cell.LSTMCell",
    "rnn.LSTMStateTuple": f"{_V1}:nn.rnn_cell.LSTMStateTuple",
    "rnn.MultiRNNCell": f"{_V1}:nn.rnn_cell.MultiRNNCell",
    "rnn.RNNCell": f"{_V1}:nn.rnn_cell.RNNCell",
    "rnn.ResidualWrapper": f"{_V1}:nn.rnn_cell.ResidualWrapper",
    "rnn.python.ops.core_rnn_cell": f"{_V1}:nn.rnn_cell",
    "rnn.static_bidirectional_rnn": f"{_V1}:nn.static_bidirectional_rnn",
    "rnn.static_rnn": f"{_V1}:nn.static_rnn",
    "rnn.static_state_saving_rnn": f"{_V1}:nn.static_state_saving_rnn",
    "signal": f"{_V1}:signal",
    "slim": "tf_slim",
    "slim.python.slim": "tf_slim",
    "stateless.stateless_multinomial": f"{_V1}:random.stateless_multinomial",
    "stateless.stateless_random_normal": f"{_V1}:random.stateless_normal",
    "stateless.stateless_random_uniform": f"{_V1}:random.stateless_uniform",
    "stateless.stateless_truncated_normal": f"{_V1}:random.stateless_truncated_normal",
    "tensorboard.plugins": "tensorboard.plugins",
    "tpu": f"{_V1}:tpu",
    "tpu.InputPipelineConfig": f"{_V1}:estimator.tpu.InputPipelineConfig",
    "tpu.RunConfig": f"{_V1}:estimator.tpu.RunConfig",
    "tpu.TPUConfig": f"{_V1}:estimator.tpu.TPUConfig",
    "tpu.TPUEstimator": f"{_V1}:estimator.tpu.TPUEstimator",
    "tpu.TPUEstimatorSpec": f"{_V1}:estimator.tpu.TPUEstimatorSpec",
    "tpu.python.tpu.tpu_config": f"{_V1}:estimator.tpu",
    "tpu.python.tpu.tpu_estimator": f"{_V1}:estimator.tpu",
    "tpu.python.tpu.tpu_optimizer": f"{_V1}:tpu",
    "training": "tf_slim.training.training",
    "training.HParams": "hubmodule.legacy.hparams:HParams",
    "training.StopAfterNEvalsHook": "tf_slim.evaluation:StopAfterNEvalsHook",
    "training.SummaryAtEndHook": "tf_slim.evaluation:SummaryAtEndHook",
    "training.checkpoints_iterator": f"{_V1}:train.checkpoints_iterator",
    "training.evaluate_once": "tf_slim.evaluation:evaluate_once",
    "training.evaluate_repeatedly": "tf_slim.evaluation:evaluate_repeatedly",
    "training.get_or_create_eval_step": "tf_slim.evaluation:get_or_create_eval_step",
    "training.python.training.hparam.HParams": "hubmodule.legacy.hparams:HParams",
    "training.wait_for_new_checkpoint": "tf_slim.evaluation:wait_for_new_checkpoint",
    "util.constant_value": f"{_V1}:get_static_value",
    "util.make_ndarray": f"{_V1}:make_ndarray",
    "util.make_tensor_proto": f"{_V1}:make_tensor_proto",
}

_ADDONS = "it went to tensorflow_addons, which ended with TensorFlow 2.15; "
_ENDED = "it has no successor: remove this use"

# Part of tf.contrib -> what to do, where the program has to change.
ADVICE = {
    "all_reduce": "use tf.distribute",
    "batching": "use tf.nondifferentiable_batch_function",
    "bayesflow": "use the package tensorflow-probability",
    "bigtable": "use the package tensorflow-io",
    "boosted_trees": "use the package tensorflow-decision-forests",
    "checkpoint": "use tf.train.Checkpoint and tf.train.CheckpointManager",
    "coder": "use the package tensorflow-compression",
    "compiler": "use tf.function(jit_compile=True), or tf.xla.experimental.jit_scope",
    "compiler.jit": "use tf.xla.experimental.jit_scope",
    "constrained_optimization": "use the package tfco",
    "crf": _ADDONS + "its functions of this name are short enough to take into the program",
    "cudnn_rnn": "use tf.keras.layers.LSTM and GRU, which use cuDNN where they can",
    "data.batch_and_drop_remainder": "use Dataset.batch(batch_size, drop_remainder=True)",
    "data.padded_batch_and_drop_remainder": (
        "use Dataset.padded_batch(batch_size, padded_shapes, drop_remainder=True)"
    ),
    "data.sliding_window_batch": "use Dataset.window",
    "data.sloppy_interleave": "use tf.data.experimental.parallel_interleave(sloppy=True)",
    "decision_trees": "use the package tensorflow-decision-forests",
    "eager.Iterator": "iterate over the dataset itself",
    "eager.implicit_gradients": "use tf.GradientTape",
    "eager.implicit_value_and_gradients": "use tf.GradientTape",
    "eager.metrics": "use tf.keras.metrics",
    "eager": "tf.enable_eager_execution and tf.GradientTape are in TensorFlow itself",
    "estimator": "use tf.estimator, where most heads and hooks of it are",
    "factorization": "tf.compat.v1.estimator.experimental.KMeans replaces its KMeans",
    "feature_column": "use tf.feature_column, which has sequence columns",
    "ffmpeg": "use tf.audio, or the package tensorflow-io",
    "graph_editor": "use tf.graph_util and tf.import_graph_def(input_map=…)",
    "hooks": "tf.train.ProfilerHook replaces its ProfilerHook",
    "image": _ADDONS + "tf.raw_ops.ImageProjectiveTransformV3 does rotations and translations",
    "input_pipeline": "use tf.data",
    "integrate": "use the package tensorflow-probability (tfp.math.ode)",
    "kafka": "use the package tensorflow-io",
    "kinesis": "use the package tensorflow-io",
    "labeled_tensor": _ENDED,
    "layers.bucketized_column": "use tf.feature_column.bucketized_column",
    "layers.crossed_column": "use tf.feature_column.crossed_column",
    "layers.embedding_column": "use tf.feature_column.embedding_column",
    "layers.input_from_feature_columns": "use tf.feature_column.input_layer",
    "layers.one_hot_column": "use tf.feature_column.indicator_column",
    "layers.real_valued_column": "use tf.feature_column.numeric_column",
    "layers.sparse_column_with_hash_bucket": (
        "use tf.feature_column.categorical_column_with_hash_bucket"
    ),
    "layers.sparse_column_with_integerized_feature": (
        "use tf.feature_column.categorical_column_with_identity"
    ),
    "layers.sparse_column_with_keys": (
        "use tf.feature_column.categorical_column_with_vocabulary_list"
    ),
    "layers.sparse_column_with_vocabulary_file": (
        "use tf.feature_column.categorical_column_with_vocabulary_file"
    ),
    "learn": "use tf.estimator; tf.contrib.learn ended before TensorFlow 1.15",
    "learn.Experiment": "use tf.estimator.train_and_evaluate",
    "learn.datasets": "use tf.keras.datasets, which has MNIST and others",
    "learn.learn_runner": "use tf.estimator.train_and_evaluate",
    "learn.preprocessing": "use tf.feature_column, or tf.keras.layers.TextVectorization",
    "legacy_seq2seq": "use tf.nn.dynamic_rnn",
    "lookup": "use tf.lookup",
    "lookup.MutableHashTable": "use tf.lookup.experimental.MutableHashTable",
    "lookup.MutableDenseHashTable": "use tf.lookup.experimental.DenseHashTable",
    "mixed_precision": "use tf.keras.mixed_precision",
    "model_pruning": "use the package tensorflow-model-optimization",
    "nn": "use tf.nn",
    "opt": _ADDONS + "tf.keras.optimizers has AdamW, Nadam and others",
    "optimizer_v2": "use tf.keras.optimizers",
    "predictor": "use tf.saved_model.load",
    "predictor.from_estimator": "use Estimator.predict",
    "quantize": "use the package tensorflow-model-optimization",
    "resampler": _ADDONS + "use tf.gather_nd",
    "rnn": "use tf.keras.layers, or tf.nn.rnn_cell for cells of TensorFlow 1",
    "saved_model": "use tf.keras.models.save_model and load_model",
    "seq2seq": _ADDONS + "use the package keras-hub, or a decoder of your own",
    "session_bundle": "use tf.saved_model",
    "solvers": "use tf.linalg.experimental.conjugate_gradient",
    "sparsemax": _ADDONS + "write it with tf.sort and tf.cumsum",
    "staging": "use tf.data.Dataset.prefetch",
    "stateless": "use tf.random.stateless_uniform and its like",
    "summary": "use tf.summary of TensorFlow 2: tf.compat.v2.summary",
    "tensor_forest": "use the package tensorflow-decision-forests",
    "tensorboard": "use the package tensorboard",
    "tensorrt": "use tf.experimental.tensorrt",
    "testing": "use tf.test",
    "text": "use the package tensorflow-text",
    "tfprof": "use tf.compat.v1.profiler",
    "timeseries": "use the package tensorflow-probability (tfp.sts)",
    "training.bucket_by_sequence_length": "use tf.data.experimental.bucket_by_sequence_length",
    "training.stratified_sample": "use tf.data.experimental.rejection_resample",
    "util": "only make_tensor_proto, make_ndarray and constant_value of it are left",
}


def find_advice(path: str) -> str:
    """Returns what to do instead of using a part of `tf.contrib`.

    Args:
        path: Name below `tf.contrib`, e.g. "learn.Experiment".
    """
    name = path
    while name:
        if name in ADVICE:
            return ADVICE[name]
        if name in SUCCESSORS:
            successor = SUCCESSORS[name].replace(":", ".")
            return f"its successor {successor} does not have this name"
        name = name.rpartition(".")[0]
    return _ENDED
