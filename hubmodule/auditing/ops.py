"""The ops of TensorFlow that do more than compute, with the reason for each.

harmless_ops.py lists the ops that only look as if they belonged here; a test walks TensorFlow's
registry and fails on an op that looks risky and is in neither table.
"""

from __future__ import annotations

from collections.abc import Iterator

from hubmodule.auditing.risks import Level, Risk
from hubmodule.auditing.risky_op import HarmlessName, RiskyOp, allow_empty

_READS, _WRITES, _NETWORK = Risk.READS_FILES, Risk.WRITES_FILES, Risk.NETWORK
_CODE, _BLOCKS, _PRINTS = Risk.CODE, Risk.BLOCKS, Risk.PRINTS
_LOW, _MEDIUM, _HIGH = Level.LOW, Level.MEDIUM, Level.HIGH


# Seen in TensorFlow 2.15 and 2.21: the error is "; No such file or directory", or the like.
_FAILS = allow_empty("the op fails, since no file has it")


def _make_rows(
    risk: Risk,
    level: Level,
    names: str,
    reasons: dict[str, str],
    harmless: tuple[HarmlessName, ...] = (),
) -> Iterator[tuple[str, RiskyOp]]:
    """Makes rows that differ only in the op and the reason.

    Args:
        risk: The class of the risk.
        level: The level of findings.
        names: The inputs and attributes that hold names, separated by spaces.
        reasons: Op types, separated by spaces -> the reason.
        harmless: Names that are harmless.
    """
    for ops, reason in reasons.items():
        for op in ops.split():
            yield op, RiskyOp(op, risk, level, reason, tuple(names.split()), harmless)


RISKY_OPS: dict[str, RiskyOp] = dict(
    [
        # Ops that read files.
        *_make_rows(
            *(_READS, _HIGH, "filename"),
            {
                "ReadFile": "Returns the whole content of a file.",
                "InitializeTableFromTextFile InitializeTableFromTextFileV2": (
                    "Fills a lookup table with the lines of a file, which lookups then return."
                ),
                "Skipgram": "Reads a file of text and returns its words.",
            },
            harmless=_FAILS,
        ),
        *_make_rows(
            *(_READS, _HIGH, "filename"),
            {
                "InitializeTRTResource": (
                    "Reads TensorRT's programs for GPUs from a file, which TRTEngineOp runs."
                )
            },
        ),
        *_make_rows(
            *(_READS, _HIGH, "pattern"),
            {"MatchingFiles": "Lists the files whose names match a pattern."},
            harmless=allow_empty("the op lists nothing"),
        ),
        *_make_rows(
            *(_READS, _HIGH, "patterns"),
            {
                "MatchingFilesDataset ExperimentalMatchingFilesDataset": (
                    "Lists the files whose names match patterns, as a dataset."
                )
            },
            harmless=_FAILS,
        ),
        *_make_rows(
            *(_READS, _HIGH, ""),
            {
                "WholeFileReader WholeFileReaderV2": (
                    "Returns the content of each file that a queue names."
                ),
                "TextLineReader TextLineReaderV2": (
                    "Returns the lines of each file that a queue names."
                ),
                "FixedLengthRecordReader FixedLengthRecordReaderV2": (
                    "Returns pieces of each file that a queue names."
                ),
                "TFRecordReader TFRecordReaderV2": (
                    "Returns the records of each file that a queue names."
                ),
            },
            harmless=_FAILS,
        ),
        *_make_rows(
            *(_READS, _HIGH, ""),
            {"LMDBReader": "Returns the records of each LMDB database that a queue names."},
        ),
        *_make_rows(
            *(_READS, _HIGH, "filenames"),
            {
                "TextLineDataset": "Returns the lines of files.",
                "TFRecordDataset TFRecordDatasetV2": "Returns the records of files.",
                "FixedLengthRecordDataset FixedLengthRecordDatasetV2": (
                    "Returns pieces of files, whatever their format."
                ),
                "CSVDataset CSVDatasetV2 ExperimentalCSVDataset": "Returns the fields of files.",
            },
            harmless=_FAILS,
        ),
        *_make_rows(
            *(_READS, _HIGH, "filenames"),
            {"LMDBDataset ExperimentalLMDBDataset": "Returns the records of LMDB databases."},
        ),
        *_make_rows(
            *(_READS, _HIGH, "data_source_name"),
            {
                "SqlDataset ExperimentalSqlDataset": (
                    "Opens an SQLite database and runs any SQL on it."
                )
            },
        ),
        *_make_rows(
            *(_READS, _HIGH, "path"),
            {"LoadDataset": "Returns the elements of a dataset that was saved into a directory."},
        ),
        *_make_rows(
            *(_READS, _HIGH, "shard_dir"),
            {"SnapshotDatasetReader": "Returns the elements in a directory of a snapshot."},
        ),
        *_make_rows(
            *(_READS, _HIGH, "chunk_file"),
            {"SnapshotChunkDataset": "Returns the elements in a file of a snapshot."},
        ),
        *_make_rows(
            *(_READS, _HIGH, "snapshot_path"),
            {"ListSnapshotChunksDataset": "Lists the files of a snapshot."},
        ),
        *_make_rows(
            *(_READS, _HIGH, "file_pattern"),
            {"RecordInput": "Returns the records of files whose names match a pattern."},
            harmless=_FAILS,
        ),
        *_make_rows(
            *(_READS, _HIGH, "file_pattern"),
            {"Restore RestoreSlice": "Returns tensors from a checkpoint."},
        ),
        *_make_rows(
            *(_READS, _HIGH, "prefix"),
            {"RestoreV2 DTensorRestoreV2": "Returns tensors from a checkpoint."},
        ),
        *_make_rows(
            *(_READS, _HIGH, "ckpt_path"),
            {"LoadAndRemapMatrix": "Returns rows of a matrix from a checkpoint."},
        ),
        *_make_rows(
            *(_READS, _HIGH, "new_vocab_file old_vocab_file"),
            {"GenerateVocabRemapping": "Compares the lines of two files."},
            harmless=_FAILS,
        ),
        *_make_rows(
            *(_READS, _HIGH, "memory_region_name"),
            {"ImmutableConst": "Maps a file into memory and returns it as a tensor."},
            harmless=_FAILS,
        ),
        *_make_rows(
            *(_READS, _HIGH, "vocab_file"),
            {"FixedUnigramCandidateSampler": "Reads words and their frequencies from a file."},
            harmless=allow_empty("the op reads no file"),
        ),
        *_make_rows(
            *(_READS, _HIGH, "descriptor_source"),
            {
                "DecodeProtoV2 EncodeProto": (
                    "Reads the descriptors of protocol buffers from a file, unless they are in "
                    "the program (local://) or in the graph (bytes://)."
                )
            },
            harmless=(
                HarmlessName("", "the descriptors are in the program"),
                HarmlessName("local://*", "the descriptors are in the program"),
                HarmlessName("bytes://*", "the descriptors are in the name itself"),
            ),
        ),
        # Ops that write files.
        *_make_rows(
            *(_WRITES, _HIGH, "filename"),
            {
                "WriteFile": "Writes a string into a file, and makes its directories.",
                "DatasetToTFRecord ExperimentalDatasetToTFRecord": (
                    "Writes the elements of a dataset into a file."
                ),
            },
            harmless=_FAILS,
        ),
        *_make_rows(
            *(_WRITES, _HIGH, "filename"),
            {
                "Save SaveSlices": "Writes tensors into a file.",
                "SerializeTRTResource": "Writes TensorRT's programs for GPUs into a file.",
            },
        ),
        *_make_rows(
            *(_WRITES, _HIGH, "filename"),
            {
                "CacheDataset CacheDatasetV2": (
                    "Writes the elements of a dataset into files, or reads them from there, "
                    "unless it keeps them in memory (an empty name)."
                )
            },
            harmless=allow_empty("the elements stay in memory"),
        ),
        *_make_rows(
            *(_WRITES, _HIGH, "prefix"),
            {"SaveV2": "Writes tensors into the files of a checkpoint."},
        ),
        *_make_rows(
            *(_WRITES, _HIGH, "checkpoint_prefixes destination_prefix"),
            {"MergeV2Checkpoints": "Merges checkpoints, and deletes the files that they were."},
        ),
        *_make_rows(
            *(_WRITES, _HIGH, "path"),
            {
                "SaveDataset SaveDatasetV2": ("Writes the elements of a dataset into a directory."),
            },
        ),
        *_make_rows(
            *(_WRITES, _HIGH, "path reader_path_prefix writer_path_prefix snapshot_name"),
            {
                "SnapshotDataset": (
                    "Writes the elements of a dataset into a directory, or reads them from there."
                )
            },
            harmless=allow_empty(
                "the path is used as it is",
                *("reader_path_prefix", "writer_path_prefix", "snapshot_name"),
            ),
        ),
        *_make_rows(
            *(_WRITES, _HIGH, "path reader_prefix writer_prefix"),
            {
                "SnapshotDatasetV2": (
                    "Writes the elements of a dataset into a directory, or reads them from there."
                )
            },
            harmless=allow_empty("the path is used as it is", "reader_prefix", "writer_prefix"),
        ),
        *_make_rows(
            *(_WRITES, _HIGH, "logdir filename_suffix"),
            {"CreateSummaryFileWriter": "Makes a file of summaries, which other ops write to."},
            harmless=allow_empty("the file gets no suffix", "filename_suffix"),
        ),
        *_make_rows(
            *(_WRITES, _HIGH, "db_uri"),
            {"CreateSummaryDbWriter": "Makes an SQLite database, which other ops write to."},
        ),
        *_make_rows(
            *(_WRITES, _HIGH, "log_dir_path file_name"),
            {"DumpTensor": "Writes a tensor into a file."},
        ),
        *_make_rows(
            *(_WRITES, _HIGH, "output_file_path"),
            {"CalibrationStatisticsSaver": "Writes statistics of tensors into a file."},
        ),
        # Ops that reach the network or another process.
        *_make_rows(
            *(_NETWORK, _HIGH, "debug_urls"),
            {
                "DebugIdentity DebugIdentityV2 DebugIdentityV3 DebugNanCount DebugNumericSummary": (
                    "Sends a tensor to servers (grpc://) or into files (file://)."
                )
            },
            harmless=allow_empty("without an address, the op sends nothing"),
        ),
        *_make_rows(
            *(_NETWORK, _HIGH, "debug_ops_spec"),
            {
                "Copy CopyHost": (
                    "Copies a tensor, and runs debug ops on it, which send it to servers or files."
                )
            },
            harmless=allow_empty("without an address, the op sends nothing"),
        ),
        *_make_rows(
            *(_NETWORK, _HIGH, "server_address"),
            {
                "RpcClient": "Connects to a server, whose methods other ops call.",
                "RpcServer": "Opens a port, on which it lets others call functions.",
            },
        ),
        *_make_rows(
            *(_NETWORK, _HIGH, "method_name"),
            {
                "RpcCall": "Sends tensors to a method of a server.",
                "RpcServerRegister": "Offers a function to any client of a port.",
            },
        ),
        *_make_rows(
            *(_NETWORK, _HIGH, ""),
            {"RpcServerStart": "Starts to answer calls on a port."},
        ),
        *_make_rows(
            *(_NETWORK, _HIGH, "address"),
            {
                "DataServiceDataset DataServiceDatasetV2 DataServiceDatasetV3 "
                "DataServiceDatasetV4": "Reads a dataset from a tf.data service.",
                "RegisterDataset RegisterDatasetV2": (
                    "Sends a dataset, which is a graph, to a tf.data service."
                ),
            },
        ),
        *_make_rows(
            *(_NETWORK, _HIGH, "directory address"),
            {"DistributedSave": "Has a tf.data service write a dataset into a directory."},
        ),
        *_make_rows(
            *(_NETWORK, _HIGH, "target"),
            {"RemoteCall": "Runs a function on a device that it names, also of another process."},
        ),
        *_make_rows(
            *(_NETWORK, _HIGH, "scheme key value"),
            {
                "FileSystemSetConfiguration": (
                    "Changes the settings of a file system for the whole process, such as the "
                    "server and the credentials that it uses."
                )
            },
        ),
        *_make_rows(
            *(_NETWORK, _HIGH, "network_configs"),
            {"ConnectTPUEmbeddingHosts": "Connects the hosts of TPUs by addresses."},
        ),
        *_make_rows(
            *(_NETWORK, _MEDIUM, "send_device recv_device"),
            {
                "Send _Send _HostSend": "Sends a tensor to another device or process.",
                "Recv _Recv _HostRecv": (
                    "Waits for a tensor from another device or process, for ever if none comes."
                ),
            },
        ),
        # Ops that run Python or native code.
        *_make_rows(
            *(_CODE, _HIGH, "token"),
            {
                "PyFunc PyFuncStateless EagerPyFunc": (
                    "Calls a Python function of the process that runs the graph, by its number."
                )
            },
        ),
        *_make_rows(
            *(_CODE, _HIGH, "target_name"),
            {"XlaCustomCall": "Calls native code of the process by its name."},
        ),
        *_make_rows(
            *(_CODE, _HIGH, "call_target_name"),
            {"XlaCustomCallV2": "Calls native code of the process by its name."},
        ),
        *_make_rows(
            *(_CODE, _HIGH, ""),
            {
                "DatasetFromGraph": (
                    "Runs a graph that is in a string, which no check of this graph sees."
                ),
                "TfLiteSubgraphExecute": "Runs a program of TensorFlow Lite of the process.",
                "MlirPassthroughOp _TPUCompileMlir _XlaHostComputeMlir": (
                    "Runs a program that is in a string, which no check of this graph sees."
                ),
            },
        ),
        *_make_rows(
            *(_CODE, _MEDIUM, ""),
            {
                "XlaCallModule": (
                    "Runs a StableHLO program that is in a string and that this audit does not "
                    "read, as models converted from JAX do; it may call native code by name."
                ),
                "TRTEngineOp": (
                    "Runs a program for GPUs that is in a string or in a file of the module and "
                    "that this audit does not read, as models converted by TensorRT do."
                ),
            },
        ),
        # Ops that end or block the process.
        *_make_rows(
            *(_BLOCKS, _MEDIUM, ""),
            {
                "Abort": "Ends the process.",
                "WorkerHeartbeat": "Sets a watchdog that ends the process.",
            },
        ),
        *_make_rows(
            *(_BLOCKS, _LOW, ""),
            {
                "SleepDataset ExperimentalSleepDataset SleepOp SleepIdentityOp": (
                    "Waits for a time that the graph gives."
                ),
                "BarrierTakeMany MapUnstage MapUnstageNoKey OrderedMapUnstage "
                "OrderedMapUnstageNoKey Unstage QueueDequeue QueueDequeueV2 QueueDequeueMany "
                "QueueDequeueManyV2 QueueDequeueUpTo QueueDequeueUpToV2": (
                    "Waits for elements, for ever if none come."
                ),
                "CollectiveAllToAllV2 CollectiveAllToAllV3 CollectiveBcastRecv "
                "CollectiveBcastRecvV2 CollectiveBcastSend CollectiveBcastSendV2 CollectiveGather "
                "CollectiveGatherV2 CollectivePermute CollectiveReduce CollectiveReduceScatterV2 "
                "CollectiveReduceV2 CollectiveReduceV3": (
                    "Waits for the other devices of a group, for ever if they do not come."
                ),
            },
        ),
        # Ops that print or stop with a message.
        *_make_rows(
            *(_PRINTS, _LOW, ""),
            {
                "Print PrintV2": "Prints tensors to the log of the process.",
                "Assert": "Stops with a message that shows tensors, if a condition fails.",
            },
        ),
    ]
)

# With another output_stream, which is file://PATH, PrintV2 appends to a file.
LOG_STREAMS = frozenset({"log(error)", "log(info)", "log(warning)", "stderr", "stdout"})
PRINTS_TO_FILE = RiskyOp(
    *("PrintV2", _WRITES, _HIGH, "Appends tensors to a file.", ("output_stream",)),
    allow_empty("the op fails, since it is not a stream"),
)

# Ops that write and read the module's own checkpoint when the loader runs them.
CHECKPOINT_OPS = frozenset(
    {"MergeV2Checkpoints", "Restore", "RestoreSlice", "RestoreV2", "Save", "SaveSlices", "SaveV2"}
)

_READERS = """
FixedLengthRecordReader FixedLengthRecordReaderV2 LMDBReader TFRecordReader TFRecordReaderV2
TextLineReader TextLineReaderV2 WholeFileReader WholeFileReaderV2
"""
# Readers read the files that a queue names; the ops of QUEUE_READS connect reader and queue.
QUEUE_READS = frozenset({"ReaderRead", "ReaderReadV2", "ReaderReadUpTo", "ReaderReadUpToV2"})
ENQUEUES = frozenset({"QueueEnqueue", "QueueEnqueueV2", "QueueEnqueueMany", "QueueEnqueueManyV2"})
READERS = frozenset(_READERS.split())
