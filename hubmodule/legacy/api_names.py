"""Names of TensorFlow's API that only some versions have, as data.

Differences of the lists that scripts/list_api_names.py prints on TensorFlow 1.15.5 and 2.21.0. A
name that ends with a dot is a module, and stands for every name in it. raw_ops are left out.
"""

from __future__ import annotations


def _split(names: str) -> frozenset[str]:
    return frozenset(names.split())


# In TensorFlow 1, and not in `tf` of TensorFlow 2.
TENSORFLOW_1_ONLY = _split(
    """
    AUTO_REUSE AttrValue COMPILER_VERSION CXX11_ABI_FLAG ConditionalAccumulator
    ConditionalAccumulatorBase ConfigProto Dimension Event FIFOQueue FixedLenFeature
    FixedLenSequenceFeature FixedLengthRecordReader GIT_VERSION GPUOptions GRAPH_DEF_VERSION
    GRAPH_DEF_VERSION_MIN_CONSUMER GRAPH_DEF_VERSION_MIN_PRODUCER GraphDef GraphKeys
    GraphOptions HistogramProto IdentityReader InteractiveSession LMDBReader LogMessage
    MONOLITHIC_BUILD MetaGraphDef NameAttrList NoGradient NodeDef NotDifferentiable OpError
    OptimizerOptions PaddingFIFOQueue Print PriorityQueue QUANTIZED_DTYPES QueueBase
    RandomShuffleQueue ReaderBase RunMetadata RunOptions Session SessionLog
    SparseConditionalAccumulator SparseFeature SparseTensorValue Summary SummaryMetadata
    TFRecordReader TensorInfo TextLineReader VERSION VarLenFeature VariableScope
    WholeFileReader accumulate_n add_check_numerics_ops add_to_collection add_to_collections
    all_variables angle app. arg_max arg_min assert_greater_equal assert_integer
    assert_less_equal assert_near assert_negative assert_non_negative assert_non_positive
    assert_none_equal assert_positive assert_proper_iterable assert_rank_at_least
    assert_rank_in assert_same_float_dtype assert_scalar assert_type
    assert_variables_initialized assign assign_add assign_sub batch_gather
    batch_scatter_update batch_to_space_nd betainc bincount ceil check_numerics cholesky
    cholesky_solve clip_by_average_norm colocate_with config.experimental_list_devices
    confusion_matrix conj container control_flow_v2_enabled
    convert_to_tensor_or_indexed_slices convert_to_tensor_or_sparse_tensor count_nonzero
    count_up_to create_partitioned_variables cross cumprod
    data.experimental.CheckpointInputPipelineHook data.experimental.DatasetStructure
    data.experimental.MapVectorizationOptions data.experimental.OptionalStructure
    data.experimental.RaggedTensorStructure data.experimental.SparseTensorStructure
    data.experimental.StatsAggregator data.experimental.StatsOptions
    data.experimental.Structure data.experimental.TensorArrayStructure
    data.experimental.TensorStructure data.experimental.bytes_produced_stats
    data.experimental.latency_stats data.experimental.map_and_batch_with_legacy_function
    data.get_output_classes data.get_output_shapes data.get_output_types
    data.make_initializable_iterator data.make_one_shot_iterator debugging.is_finite
    debugging.is_inf debugging.is_nan debugging.is_non_decreasing
    debugging.is_strictly_increasing decode_base64 decode_compressed decode_csv
    decode_json_example decode_raw delete_session_tensor depth_to_space dequantize
    deserialize_many_sparse diag diag_part digamma dimension_at_index dimension_value
    disable_control_flow_v2 disable_eager_execution disable_resource_variables
    disable_tensor_equality disable_v2_behavior disable_v2_tensorshape
    distribute.get_loss_reduction distributions. div div_no_nan dtypes.as_string
    enable_control_flow_v2 enable_eager_execution enable_resource_variables
    enable_tensor_equality enable_v2_behavior enable_v2_tensorshape encode_base64 erf erfc
    errors.error_code_from_exception_type errors.exception_type_from_error_code
    errors.raise_exception_on_not_ok_status experimental.output_all_intermediates expm1
    extract_image_patches fake_quant_with_min_max_args fake_quant_with_min_max_args_gradient
    fake_quant_with_min_max_vars fake_quant_with_min_max_vars_gradient
    fake_quant_with_min_max_vars_per_channel fake_quant_with_min_max_vars_per_channel_gradient
    feature_column.input_layer feature_column.linear_model
    feature_column.shared_embedding_columns fft fft2d fft3d fixed_size_partitioner floor_div
    floordiv floormod get_collection get_collection_ref get_default_graph get_default_session
    get_local_variable get_seed get_session_handle get_session_tensor get_variable
    get_variable_scope gfile. global_norm global_variables global_variables_initializer
    glorot_normal_initializer glorot_uniform_initializer
    graph_util.convert_variables_to_constants graph_util.extract_sub_graph
    graph_util.must_run_on_cpu graph_util.remove_training_nodes
    graph_util.tensor_shape_from_node_def_name ifft ifft2d ifft3d igamma igammac imag
    image.extract_image_patches image.resize_area image.resize_bicubic image.resize_bilinear
    image.resize_image_with_crop_or_pad image.resize_image_with_pad image.resize_images
    image.resize_nearest_neighbor image.transpose_image initialize_all_tables
    initialize_all_variables initialize_local_variables initialize_variables
    initializers.global_variables initializers.local_variables initializers.tables_initializer
    initializers.uniform_unit_scaling initializers.variables invert_permutation
    io.PaddingFIFOQueue io.PriorityQueue io.QueueBase io.RandomShuffleQueue
    io.TFRecordCompressionType io.tf_record_iterator is_finite is_inf is_nan is_non_decreasing
    is_numeric_tensor is_strictly_increasing is_variable_initialized keras.backend.get_session
    keras.backend.set_session keras.experimental.LinearCosineDecay
    keras.experimental.NoisyLinearCosineDecay keras.experimental.PeepholeLSTMCell
    keras.experimental.export_saved_model keras.experimental.load_from_saved_model
    keras.experimental.terminate_keras_multiprocessing_pools keras.initializers.normal
    keras.initializers.uniform keras.layers.CuDNNGRU keras.layers.CuDNNLSTM
    keras.losses.cosine keras.losses.cosine_proximity keras.metrics.cosine
    keras.metrics.cosine_proximity keras.mixed_precision.experimental. keras.utils.HDF5Matrix
    keras.utils.convert_all_kernels_in_model keras.utils.multi_gpu_model keras.wrappers.
    layers. lbeta lgamma lin_space linalg.transpose lite.OpHint lite.TocoConverter
    lite.constants. lite.experimental.convert_op_hints_to_stubs
    lite.experimental.get_potentially_supported_ops lite.experimental.nn. lite.toco_convert
    load_file_system_library local_variables local_variables_initializer log log1p log_sigmoid
    logging. logical_xor losses.absolute_difference losses.add_loss
    losses.compute_weighted_loss losses.cosine_distance losses.get_losses
    losses.get_regularization_loss losses.get_regularization_losses losses.get_total_loss
    losses.hinge_loss losses.huber_loss losses.log_loss losses.mean_pairwise_squared_error
    losses.sigmoid_cross_entropy losses.softmax_cross_entropy
    losses.sparse_softmax_cross_entropy make_template manip. matching_files matrix_band_part
    matrix_determinant matrix_diag matrix_diag_part matrix_inverse matrix_set_diag
    matrix_solve matrix_solve_ls matrix_transpose matrix_triangular_solve metrics.accuracy
    metrics.auc metrics.average_precision_at_k metrics.false_negatives
    metrics.false_negatives_at_thresholds metrics.false_positives
    metrics.false_positives_at_thresholds metrics.mean metrics.mean_cosine_distance
    metrics.mean_iou metrics.mean_per_class_accuracy metrics.mean_relative_error
    metrics.mean_tensor metrics.percentage_below metrics.precision metrics.precision_at_k
    metrics.precision_at_thresholds metrics.precision_at_top_k metrics.recall
    metrics.recall_at_k metrics.recall_at_thresholds metrics.recall_at_top_k
    metrics.root_mean_squared_error metrics.sensitivity_at_specificity
    metrics.sparse_average_precision_at_k metrics.sparse_precision_at_k
    metrics.specificity_at_sensitivity metrics.true_negatives
    metrics.true_negatives_at_thresholds metrics.true_positives
    metrics.true_positives_at_thresholds min_max_variable_partitioner mod model_variables
    moving_average_variables multinomial nn.avg_pool_v2 nn.bidirectional_dynamic_rnn
    nn.conv2d_backprop_filter nn.conv2d_backprop_input nn.conv3d_backprop_filter
    nn.conv3d_backprop_filter_v2 nn.ctc_beam_search_decoder_v2 nn.ctc_loss_v2
    nn.depthwise_conv2d_native nn.depthwise_conv2d_native_backprop_filter
    nn.depthwise_conv2d_native_backprop_input nn.dynamic_rnn nn.fused_batch_norm
    nn.log_uniform_candidate_sampler nn.max_pool_v2 nn.quantized_avg_pool nn.quantized_conv2d
    nn.quantized_max_pool nn.quantized_relu_x nn.raw_rnn nn.relu_layer nn.rnn_cell.
    nn.softmax_cross_entropy_with_logits_v2 nn.static_bidirectional_rnn nn.static_rnn
    nn.static_state_saving_rnn nn.uniform_candidate_sampler nn.xw_plus_b no_regularizer
    op_scope orthogonal_initializer parse_example parse_single_example
    parse_single_sequence_example parse_tensor placeholder placeholder_with_default polygamma
    profiler.AdviceProto profiler.GraphNodeProto profiler.MultiGraphNodeProto
    profiler.OpLogProto profiler.ProfileOptionBuilder profiler.Profiler profiler.advise
    profiler.profile profiler.write_op_log py_func python_io. qr quantize quantize_v2
    quantized_concat ragged.RaggedTensorValue ragged.constant_value ragged.placeholder
    random.get_seed random.multinomial random.set_random_seed random.stateless_multinomial
    random_crop random_gamma random_normal random_poisson random_shuffle random_uniform
    read_file real reciprocal reduce_join regex_replace report_uninitialized_variables
    reset_default_graph resource_loader. resource_variables_enabled reverse_v2 rint rsqrt
    saved_model.Builder saved_model.LEGACY_INIT_OP_KEY saved_model.MAIN_OP_KEY
    saved_model.build_signature_def saved_model.build_tensor_info saved_model.builder.
    saved_model.classification_signature_def saved_model.constants.
    saved_model.experimental.save saved_model.get_tensor_from_tensor_info
    saved_model.is_valid_signature saved_model.load_v2 saved_model.loader.
    saved_model.main_op. saved_model.main_op_with_restore
    saved_model.maybe_saved_model_directory saved_model.predict_signature_def
    saved_model.regression_signature_def saved_model.signature_constants.
    saved_model.signature_def_utils. saved_model.simple_save saved_model.tag_constants.
    saved_model.utils. scatter_add scatter_div scatter_max scatter_min scatter_mul
    scatter_nd_add scatter_nd_sub scatter_nd_update scatter_sub scatter_update segment_max
    segment_mean segment_min segment_prod segment_sum self_adjoint_eig self_adjoint_eigvals
    serialize_many_sparse serialize_sparse serialize_tensor set_random_seed setdiff1d
    sets.set_difference sets.set_intersection sets.set_size sets.set_union space_to_depth
    sparse.SparseConditionalAccumulator sparse.matmul sparse.merge sparse.placeholder
    sparse.reduce_max_sparse sparse.reduce_sum_sparse sparse_add sparse_concat
    sparse_fill_empty_rows sparse_mask sparse_matmul sparse_maximum sparse_merge
    sparse_minimum sparse_placeholder sparse_reduce_max sparse_reduce_max_sparse
    sparse_reduce_sum sparse_reduce_sum_sparse sparse_reorder sparse_reset_shape
    sparse_reshape sparse_retain sparse_segment_mean sparse_segment_sqrt_n sparse_segment_sum
    sparse_slice sparse_softmax sparse_split sparse_tensor_dense_matmul sparse_tensor_to_dense
    sparse_to_dense sparse_to_indicator sparse_transpose spectral. squared_difference
    string_join string_split string_strip string_to_hash_bucket string_to_hash_bucket_fast
    string_to_hash_bucket_strong string_to_number substr summary.Event summary.FileWriter
    summary.FileWriterCache summary.SessionLog summary.Summary summary.SummaryDescription
    summary.TaggedRunMetadata summary.all_v2_summary_ops summary.get_summary_description
    summary.initialize summary.merge summary.merge_all summary.tensor_summary svd
    tables_initializer tensor_scatter_add tensor_scatter_sub tensor_scatter_update
    test.StubOutForTesting test.compute_gradient_error test.get_temp_dir
    test.test_src_dir_path to_bfloat16 to_complex128 to_complex64 to_double to_float to_int32
    to_int64 tpu.CrossShardOptimizer tpu.batch_parallel tpu.bfloat16_scope tpu.core
    tpu.cross_replica_sum tpu.experimental.AdagradParameters tpu.experimental.AdamParameters
    tpu.experimental.StochasticGradientDescentParameters tpu.experimental.embedding_column
    tpu.experimental.shared_embedding_columns tpu.initialize_system tpu.outside_compilation
    tpu.replicate tpu.rewrite tpu.shard tpu.shutdown_system trace train.AdadeltaOptimizer
    train.AdagradDAOptimizer train.AdagradOptimizer train.AdamOptimizer
    train.CheckpointSaverHook train.CheckpointSaverListener train.ChiefSessionCreator
    train.FeedFnHook train.FinalOpsHook train.FtrlOptimizer train.GlobalStepWaiterHook
    train.GradientDescentOptimizer train.LoggingTensorHook train.LooperThread
    train.MomentumOptimizer train.MonitoredSession train.MonitoredTrainingSession
    train.NanLossDuringTrainingError train.NanTensorHook train.NewCheckpointReader
    train.Optimizer train.ProfilerHook train.ProximalAdagradOptimizer
    train.ProximalGradientDescentOptimizer train.QueueRunner train.RMSPropOptimizer
    train.Saver train.SaverDef train.Scaffold train.SecondOrStepTimer train.Server
    train.SessionCreator train.SessionManager train.SessionRunArgs train.SessionRunContext
    train.SessionRunHook train.SessionRunValues train.SingularMonitoredSession
    train.StepCounterHook train.StopAtStepHook train.SummarySaverHook train.Supervisor
    train.SyncReplicasOptimizer train.VocabInfo train.WorkerSessionCreator
    train.add_queue_runner train.assert_global_step train.basic_train_loop train.batch
    train.batch_join train.checkpoint_exists train.cosine_decay train.cosine_decay_restarts
    train.create_global_step train.do_quantize_training_on_graphdef
    train.experimental.DynamicLossScale train.experimental.FixedLossScale
    train.experimental.LossScale train.experimental.MixedPrecisionLossScaleOptimizer
    train.experimental.disable_mixed_precision_graph_rewrite
    train.experimental.enable_mixed_precision_graph_rewrite train.exponential_decay
    train.export_meta_graph train.generate_checkpoint_state_proto train.get_checkpoint_mtimes
    train.get_global_step train.get_or_create_global_step train.global_step
    train.import_meta_graph train.init_from_checkpoint train.input_producer
    train.inverse_time_decay train.limit_epochs train.linear_cosine_decay
    train.match_filenames_once train.maybe_batch train.maybe_batch_join
    train.maybe_shuffle_batch train.maybe_shuffle_batch_join train.natural_exp_decay
    train.noisy_linear_cosine_decay train.piecewise_constant train.piecewise_constant_decay
    train.polynomial_decay train.queue_runner. train.range_input_producer
    train.remove_checkpoint train.replica_device_setter train.sdca_fprint train.sdca_optimizer
    train.sdca_shrink_l1 train.shuffle_batch train.shuffle_batch_join
    train.slice_input_producer train.start_queue_runners train.string_input_producer
    train.summary_iterator train.update_checkpoint_state train.warm_start train.write_graph
    trainable_variables truncated_normal truncated_normal_initializer
    uniform_unit_scaling_initializer unsorted_segment_max unsorted_segment_mean
    unsorted_segment_min unsorted_segment_prod unsorted_segment_sqrt_n unsorted_segment_sum
    user_ops. variable_axis_size_partitioner variable_op_scope variable_scope
    variables_initializer variance_scaling_initializer verify_tensor_all_finite where_v2
    wrap_function write_file zeta
    """
)

# In `tf` of TensorFlow 2, and not in tf.compat.v1.
TENSORFLOW_2_ONLY = _split(
    """
    autodiff. config.experimental.enable_op_determinism data.IteratorSpec data.experimental.at
    data.experimental.load data.experimental.save data.experimental.service.DispatchServer
    data.experimental.service.WorkerServer distribute.DistributedDataset
    distribute.DistributedIterator distribute.DistributedValues distribute.InputOptions
    distribute.MultiWorkerMirroredStrategy distribute.ParameterServerStrategy
    distribute.TPUStrategy distribute.coordinator.
    distribute.experimental.PreemptionCheckpointHandler
    distribute.experimental.PreemptionWatcher distribute.experimental.TerminationConfig
    distribute.experimental.ValueContext distribute.experimental.coordinator.
    distribute.experimental.partitioners. distribute.experimental.rpc. dtensor. eig eigvals
    errors.OperatorNotAllowedInGraphError experimental.dlpack. experimental.dtensor.
    experimental.numpy. experimental.tensorrt. feature_column.shared_embeddings
    get_current_name_scope image.resize_with_pad image.stateless_random_brightness
    image.stateless_random_contrast image.stateless_random_crop
    image.stateless_random_flip_left_right image.stateless_random_flip_up_down
    image.stateless_random_hue image.stateless_random_jpeg_quality
    image.stateless_random_saturation image.stateless_sample_distorted_bounding_box
    initializers.Constant initializers.GlorotNormal initializers.GlorotUniform
    initializers.HeNormal initializers.HeUniform initializers.Identity
    initializers.Initializer initializers.LecunNormal initializers.LecunUniform
    initializers.Ones initializers.Orthogonal initializers.RandomNormal
    initializers.RandomUniform initializers.TruncatedNormal initializers.VarianceScaling
    initializers.Zeros initializers.deserialize initializers.get initializers.serialize
    inside_function keras.activations.gelu keras.backend.experimental.
    keras.callbacks.BackupAndRestore keras.callbacks.experimental.BackupAndRestore
    keras.dtensor. keras.experimental.SidecarEvaluator keras.initializers.GlorotNormal
    keras.initializers.GlorotUniform keras.initializers.HeNormal keras.initializers.HeUniform
    keras.initializers.LecunNormal keras.initializers.LecunUniform
    keras.initializers.variance_scaling keras.layers.GroupNormalization
    keras.layers.HashedCrossing keras.layers.IntegerLookup keras.layers.RandomBrightness
    keras.layers.RandomContrast keras.layers.RandomCrop keras.layers.RandomFlip
    keras.layers.RandomHeight keras.layers.RandomRotation keras.layers.RandomTranslation
    keras.layers.RandomWidth keras.layers.RandomZoom keras.layers.SpectralNormalization
    keras.layers.StringLookup keras.layers.TextVectorization keras.layers.UnitNormalization
    keras.layers.experimental.SyncBatchNormalization
    keras.layers.experimental.preprocessing.HashedCrossing
    keras.layers.experimental.preprocessing.IntegerLookup
    keras.layers.experimental.preprocessing.RandomContrast
    keras.layers.experimental.preprocessing.RandomCrop
    keras.layers.experimental.preprocessing.RandomFlip
    keras.layers.experimental.preprocessing.RandomHeight
    keras.layers.experimental.preprocessing.RandomRotation
    keras.layers.experimental.preprocessing.RandomTranslation
    keras.layers.experimental.preprocessing.RandomWidth
    keras.layers.experimental.preprocessing.RandomZoom
    keras.layers.experimental.preprocessing.StringLookup
    keras.layers.experimental.preprocessing.TextVectorization keras.losses.Reduction
    keras.losses.huber keras.metrics.experimental. keras.mixed_precision.Policy
    keras.mixed_precision.global_policy keras.mixed_precision.set_global_policy
    keras.models.experimental. keras.optimizers.Adafactor keras.optimizers.AdamW
    keras.optimizers.Lion keras.optimizers.experimental.
    keras.preprocessing.image.smart_resize keras.preprocessing.image_dataset_from_directory
    keras.preprocessing.text_dataset_from_directory
    keras.preprocessing.timeseries_dataset_from_array keras.regularizers.OrthogonalRegularizer
    keras.regularizers.orthogonal_regularizer keras.utils.FeatureSpace
    keras.utils.SidecarEvaluator keras.utils.TimedThread
    keras.utils.audio_dataset_from_directory keras.utils.experimental.
    keras.utils.image_dataset_from_directory keras.utils.pack_x_y_sample_weight
    keras.utils.set_random_seed keras.utils.split_dataset
    keras.utils.text_dataset_from_directory keras.utils.timeseries_dataset_from_array
    keras.utils.unpack_x_y_sample_weight linalg.banded_triangular_solve linalg.eig
    linalg.eigvals losses.BinaryCrossentropy losses.BinaryFocalCrossentropy
    losses.CategoricalCrossentropy losses.CategoricalFocalCrossentropy losses.CategoricalHinge
    losses.CosineSimilarity losses.Hinge losses.Huber losses.KLD losses.KLDivergence
    losses.LogCosh losses.Loss losses.MAE losses.MAPE losses.MSE losses.MSLE
    losses.MeanAbsoluteError losses.MeanAbsolutePercentageError losses.MeanSquaredError
    losses.MeanSquaredLogarithmicError losses.Poisson losses.SparseCategoricalCrossentropy
    losses.SquaredHinge losses.binary_crossentropy losses.binary_focal_crossentropy
    losses.categorical_crossentropy losses.categorical_focal_crossentropy
    losses.categorical_hinge losses.cosine_similarity losses.deserialize losses.get
    losses.hinge losses.huber losses.kl_divergence losses.kld
    losses.kullback_leibler_divergence losses.log_cosh losses.logcosh losses.mae losses.mape
    losses.mean_absolute_error losses.mean_absolute_percentage_error
    losses.mean_squared_logarithmic_error losses.mse losses.msle losses.poisson
    losses.serialize losses.sparse_categorical_crossentropy losses.squared_hinge metrics.AUC
    metrics.Accuracy metrics.BinaryAccuracy metrics.BinaryCrossentropy metrics.BinaryIoU
    metrics.CategoricalAccuracy metrics.CategoricalCrossentropy metrics.CategoricalHinge
    metrics.CosineSimilarity metrics.F1Score metrics.FBetaScore metrics.FalseNegatives
    metrics.FalsePositives metrics.Hinge metrics.IoU metrics.KLD metrics.KLDivergence
    metrics.LogCoshError metrics.MAE metrics.MAPE metrics.MSE metrics.MSLE metrics.Mean
    metrics.MeanAbsoluteError metrics.MeanAbsolutePercentageError metrics.MeanIoU
    metrics.MeanMetricWrapper metrics.MeanRelativeError metrics.MeanSquaredError
    metrics.MeanSquaredLogarithmicError metrics.MeanTensor metrics.Metric metrics.OneHotIoU
    metrics.OneHotMeanIoU metrics.Poisson metrics.Precision metrics.PrecisionAtRecall
    metrics.R2Score metrics.Recall metrics.RecallAtPrecision metrics.RootMeanSquaredError
    metrics.SensitivityAtSpecificity metrics.SparseCategoricalAccuracy
    metrics.SparseCategoricalCrossentropy metrics.SparseTopKCategoricalAccuracy
    metrics.SpecificityAtSensitivity metrics.SquaredHinge metrics.Sum
    metrics.TopKCategoricalAccuracy metrics.TrueNegatives metrics.TruePositives
    metrics.binary_accuracy metrics.binary_crossentropy metrics.binary_focal_crossentropy
    metrics.categorical_accuracy metrics.categorical_crossentropy
    metrics.categorical_focal_crossentropy metrics.deserialize metrics.experimental.
    metrics.get metrics.hinge metrics.kl_divergence metrics.kld
    metrics.kullback_leibler_divergence metrics.log_cosh metrics.logcosh metrics.mae
    metrics.mape metrics.mean_absolute_percentage_error metrics.mean_squared_logarithmic_error
    metrics.mse metrics.msle metrics.poisson metrics.serialize
    metrics.sparse_categorical_accuracy metrics.sparse_categorical_crossentropy
    metrics.sparse_top_k_categorical_accuracy metrics.squared_hinge
    metrics.top_k_categorical_accuracy nn.RNNCellDeviceWrapper nn.RNNCellDropoutWrapper
    nn.RNNCellResidualWrapper nn.gelu nn.isotonic_regression optimizers.
    profiler.experimental. random.set_seed saved_model.LoadOptions
    saved_model.experimental.Fingerprint saved_model.experimental.read_fingerprint security.
    sparse.map_values sparse.sampled_addmm summary.SummaryWriter summary.create_file_writer
    summary.create_noop_writer summary.experimental. summary.flush summary.graph
    summary.record_if summary.should_record_summaries summary.trace_export summary.trace_off
    summary.trace_on summary.write train.CheckpointView train.TrackableView
    types.experimental.AtomicFunction types.experimental.Callable
    types.experimental.ConcreteFunction types.experimental.GenericFunction
    types.experimental.PolymorphicFunction types.experimental.SupportsTracingProtocol
    types.experimental.TraceType types.experimental.distributed.
    """
)

# In TensorFlow 1, and neither in TensorFlow 2 nor in its tf.compat.v1.
DROPPED = _split(
    """
    config.experimental_list_devices data.experimental.CheckpointInputPipelineHook
    data.experimental.MapVectorizationOptions data.experimental.StatsAggregator
    data.experimental.StatsOptions data.experimental.bytes_produced_stats
    data.experimental.latency_stats estimator.BoostedTreesClassifier
    estimator.BoostedTreesEstimator estimator.BoostedTreesRegressor
    keras.experimental.LinearCosineDecay keras.experimental.NoisyLinearCosineDecay
    keras.experimental.PeepholeLSTMCell keras.experimental.export_saved_model
    keras.experimental.load_from_saved_model
    keras.experimental.terminate_keras_multiprocessing_pools
    keras.mixed_precision.experimental. keras.utils.HDF5Matrix
    keras.utils.convert_all_kernels_in_model keras.utils.multi_gpu_model keras.wrappers.
    lite.experimental.get_potentially_supported_ops lite.experimental.nn.
    tpu.experimental.AdagradParameters tpu.experimental.AdamParameters
    tpu.experimental.StochasticGradientDescentParameters
    """
)

# In parts of tf.contrib that have a successor, what the successor does not have.
CONTRIB_WITHOUT_SUCCESSOR = _split(
    """
    data.CheckpointInputPipelineHook data.LMDBDataset data.assert_element_shape
    data.read_batch_features data.reduce_dataset distribute.AllReduceCrossDeviceOps
    distribute.CollectiveAllReduceStrategy distribute.DistributeConfig
    distribute.DistributionStrategy distribute.Monitor distribute.MultiWorkerAllReduce
    distribute.StandardInputStep distribute.StandardSingleLossStep distribute.Step
    distribute.TPUStrategy distribute.UpdateContext distribute.get_cross_replica_context
    distribute.get_distribution_strategy distribute.has_distribution_strategy
    distribute.initialize_tpu_system distribute.require_replica_context
    distribute.run_standard_tensorflow_server framework.BoundedTensorSpec
    framework.RecordInput framework.assert_scalar_int framework.convolutional_delta_orthogonal
    framework.convolutional_orthogonal_1d framework.convolutional_orthogonal_2d
    framework.convolutional_orthogonal_3d framework.deprecated_arg_values
    framework.deprecated_args framework.fuse_op framework.get_graph_from_inputs
    framework.get_name_scope framework.get_placeholders
    framework.load_and_remap_matrix_initializer framework.load_embedding_initializer
    framework.load_linear_multiclass_bias_initializer framework.load_variable_slot_initializer
    framework.prepend_name_scope framework.reduce_sum_n framework.remove_squeezable_dimensions
    framework.smart_case framework.smart_cond framework.smart_constant_value
    framework.strip_name_scope framework.with_same_shape framework.with_shape
    framework.zero_initializer layers.SPARSE_FEATURE_CROSS_DEFAULT_HASH_KEY layers.bow_encoder
    layers.bucketized_column layers.check_feature_columns
    layers.create_feature_spec_for_parsing layers.crossed_column layers.embed_sequence
    layers.embedding_column layers.embedding_lookup_unique layers.feature_column
    layers.infer_real_valued_columns layers.input_from_feature_columns
    layers.joint_weighted_sum_from_feature_columns
    layers.make_place_holder_tensors_for_base_features layers.multi_class_target
    layers.one_hot_column layers.parse_feature_columns_from_examples
    layers.parse_feature_columns_from_sequence_examples layers.real_valued_column
    layers.regression_target layers.scattered_embedding_column
    layers.sequence_input_from_feature_columns layers.shared_embedding_columns
    layers.sparse_column_with_hash_bucket layers.sparse_column_with_integerized_feature
    layers.sparse_column_with_keys layers.sparse_column_with_vocabulary_file
    layers.transform_features layers.weighted_sparse_column
    layers.weighted_sum_from_feature_columns slim.DataFrameColumn slim.InputLayer
    slim.ProblemType slim.SPARSE_FEATURE_CROSS_DEFAULT_HASH_KEY slim.binary_svm_target
    slim.bow_encoder slim.bucketized_column slim.check_feature_columns slim.checkpoint_utils
    slim.contrib_framework slim.contrib_sparse_ops slim.contrib_variables
    slim.create_feature_spec_for_parsing slim.crossed_column slim.deprecated_arg_values
    slim.deprecation slim.embed_sequence slim.embedding_column
    slim.embedding_lookup_sparse_with_distributed_aggregation slim.embedding_lookup_unique
    slim.embedding_ops slim.encoders slim.fc slim.fc_core slim.feature_column
    slim.feature_column_ops slim.gen_sparse_feature_cross_op
    slim.get_default_binary_metrics_for_eval slim.infer_real_valued_columns
    slim.input_from_feature_columns slim.joint_weighted_sum_from_feature_columns slim.loader
    slim.lookup slim.loss_ops slim.make_all slim.make_place_holder_tensors_for_base_features
    slim.metric_ops slim.multi_class_target slim.nest slim.nn slim.nn_ops slim.one_hot_column
    slim.parse_feature_columns_from_examples slim.parse_feature_columns_from_sequence_examples
    slim.parsing_ops slim.real_valued_column slim.regression_target slim.resource_loader
    slim.resource_variable_ops slim.safe_embedding_lookup_sparse
    slim.scattered_embedding_column slim.scattered_embedding_lookup
    slim.scattered_embedding_lookup_sparse slim.sequence_input_from_feature_columns
    slim.shared_embedding_columns slim.sparse_column_with_hash_bucket
    slim.sparse_column_with_integerized_feature slim.sparse_column_with_keys
    slim.sparse_column_with_vocabulary_file slim.sparse_feature_cross
    slim.sparse_feature_cross_op slim.sparse_ops slim.sparse_tensor slim.sparse_tensor_py
    slim.string_ops slim.target_column slim.tensor_shape slim.transform_features
    slim.variable_scope slim.variables slim.weighted_sparse_column
    slim.weighted_sum_from_feature_columns slim.zero_initializer tpu.AsyncCheckpointSaverHook
    tpu.DeviceAssignment tpu.InfeedQueue tpu.TPUDistributionStrategy tpu.Topology
    tpu.device_assignment tpu.export_estimator_savedmodel tpu.infeed_dequeue
    tpu.infeed_dequeue_tuple tpu.infeed_enqueue tpu.infeed_enqueue_tuple
    tpu.keras_to_tpu_model tpu.outfeed_dequeue tpu.outfeed_dequeue_tuple tpu.outfeed_enqueue
    tpu.outfeed_enqueue_tuple tpu.profiler tpu.repeat tpu.while_loop
    training.FeedingQueueRunner training.GreedyLoadBalancingStrategy
    training.NextQueuedSequenceBatch training.RandomStrategy
    training.SequenceQueueingStateSaver training.batch_sequences_with_states training.bucket
    training.bucket_by_sequence_length training.byte_size_load_fn training.parse_values
    training.rejection_sample training.resample_at_rate training.stratified_sample
    training.weighted_resample
    """
)
