"""Tests of hubmodule.auditing.ops: the table is true of the TensorFlow that runs the tests."""

from __future__ import annotations

import sys

import pytest
import tensorflow as tf

from hubmodule.auditing.harmless_ops import HARMLESS_OPS, find_suspicious_names
from hubmodule.auditing.ops import CHECKPOINT_OPS, READERS, RISKY_OPS
from hubmodule.auditing.risks import Risk
from tests.auditing.registry import registered_ops

# What only the first, and only the last of the supported versions are known to have.
OLD_OPS = {"TfLiteSubgraphExecute"}
NEW_OPS = {"CalibrationStatisticsSaver", "ListSnapshotChunksDataset"}
# What only builds for GPUs have; TensorFlow 2.15 has them, 2.21 does not.
GPU_OPS = {"InitializeTRTResource", "SerializeTRTResource", "TRTEngineOp"}
# What TensorFlow itself says it has: 1,862 ops in 2.15, 1,908 in 2.21.
FEWEST_OPS = 1800


def test_the_registry_is_the_whole_one() -> None:
    assert len(registered_ops()) > FEWEST_OPS


def test_every_suspicious_op_of_tensorflow_is_in_a_list() -> None:
    found = {op: list(find_suspicious_names(op_def)) for op, op_def in registered_ops().items()}
    unlisted = {
        op: names
        for op, names in found.items()
        if names and op not in RISKY_OPS and op not in HARMLESS_OPS
    }
    assert unlisted == {}, "Look at each, and add it to ops.py or harmless_ops.py with the reason."


def test_an_op_is_in_one_list_only() -> None:
    assert RISKY_OPS.keys() & HARMLESS_OPS.keys() == set()


def test_every_op_exists() -> None:
    expected = set(RISKY_OPS) - GPU_OPS
    if not tf.__version__.startswith("2.15."):
        expected -= OLD_OPS
    if not tf.__version__.startswith("2.21."):
        expected -= NEW_OPS
    assert expected - registered_ops().keys() == set()


@pytest.mark.parametrize("op", sorted(RISKY_OPS.keys() & registered_ops().keys()))
class TestEachRow:
    def test_names_inputs_or_attributes_of_the_op(self, op: str) -> None:
        op_def = registered_ops()[op]
        known = {argument.name for argument in op_def.input_arg}
        known |= {attribute.name for attribute in op_def.attr}
        assert set(RISKY_OPS[op].names) - known == set()

    def test_has_a_sentence_as_its_reason(self, op: str) -> None:
        reason = RISKY_OPS[op].reason
        assert reason[0].isupper()
        assert reason.endswith(".")

    def test_says_why_a_name_is_harmless(self, op: str) -> None:
        row = RISKY_OPS[op]
        assert all(name.reason for name in row.harmless)
        assert {key for name in row.harmless for key in name.keys} <= set(row.names)

    def test_uses_a_name_if_it_is_about_files(self, op: str) -> None:
        row = RISKY_OPS[op]
        if row.risk in (Risk.READS_FILES, Risk.WRITES_FILES):
            assert row.names or op in READERS


@pytest.mark.parametrize(
    "op",
    # Those that scanners are known to miss.
    """
    MatchingFiles WholeFileReaderV2 InitializeTableFromTextFileV2 TFRecordDataset TextLineDataset
    LMDBDataset SqlDataset SnapshotDatasetV2 SaveDatasetV2 CacheDatasetV2 ImmutableConst
    FixedUnigramCandidateSampler GenerateVocabRemapping DebugIdentity CreateSummaryFileWriter
    DataServiceDatasetV4 RpcClient RpcServer RpcCall RemoteCall XlaCustomCall ReadFile WriteFile
    PyFunc EagerPyFunc
    """.split(),  # noqa: SIM905
)
def test_a_known_risk_is_in_the_table(op: str) -> None:
    assert op in RISKY_OPS


def test_the_special_ops_are_in_the_table() -> None:
    assert (CHECKPOINT_OPS | READERS) - RISKY_OPS.keys() == set()


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
