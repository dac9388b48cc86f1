"""The batch normalisation that tf_slim uses."""

from __future__ import annotations

import sys

import pytest

from tests.processes import output_of


def test_it_is_there_without_importing_keras():
    code = """
        import sys
        from hubmodule.estimator import keras2
        from hubmodule.legacy.keras_layers import mend_batch_normalization
        keras2.use_keras_2()
        mend_batch_normalization()
        mend_batch_normalization()
        print("tensorflow" in sys.modules, "tf_keras" in sys.modules, "keras" in sys.modules)
        import tensorflow
        from tensorflow.python.layers import normalization
        print(normalization.BatchNormalization.__name__)
        """
    assert output_of(code) == ["False False False", "BatchNormalization"]


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
