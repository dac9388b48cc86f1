"""Tables of pandas as inputs of an Estimator."""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

import hubmodule as hub
from hubmodule.estimator.pandas_inputs import convert_string_columns, mend_string_columns

v1 = tf.compat.v1

TEXTS = ["good", "bad", "fair"]


def table(dtype):
    return pd.DataFrame({"text": pd.Series(TEXTS, dtype=dtype), "number": [1.5, 2.5, 3.5]})


def read(input_fn):
    with tf.Graph().as_default(), v1.Session() as session:
        features, labels = input_fn()
        coordinator = tf.train.Coordinator()
        threads = v1.train.start_queue_runners(session, coordinator)
        values = session.run([features["text"], features["number"], labels])
        coordinator.request_stop()
        coordinator.join(threads, ignore_live_threads=True)
    return [value.tolist() for value in values]


@pytest.mark.parametrize("dtype", [None, object, "string", "str"])
def test_columns_of_texts(dtype):
    estimator = hub.enable_estimator()
    frame = table(dtype)
    input_fn = estimator.inputs.pandas_input_fn(
        frame, pd.Series([1, 0, 1]), batch_size=3, num_epochs=1, shuffle=False
    )
    assert read(input_fn) == [[b"good", b"bad", b"fair"], [1.5, 2.5, 3.5], [1, 0, 1]]
    # The program's own table stays as it is.
    assert frame["text"].dtype == table(dtype)["text"].dtype


def test_labels_of_texts():
    estimator = hub.enable_estimator()
    input_fn = estimator.inputs.pandas_input_fn(
        table(None), pd.Series(TEXTS, dtype="string"), batch_size=3, num_epochs=1, shuffle=False
    )
    assert read(input_fn)[2] == [b"good", b"bad", b"fair"]


def test_only_columns_of_texts_change():
    frame = table("string")
    frame["more"] = pd.Series(["a", "b", "a"], dtype="category")
    converted = convert_string_columns(frame)
    assert [dtype.name for dtype in converted.dtypes] == ["object", "float64", "category"]
    assert converted["text"].tolist() == TEXTS


@pytest.mark.parametrize("data", [np.zeros(3), {"x": np.zeros(3)}, [1]])
def test_other_data_stays(data):
    assert convert_string_columns(data) is data


def test_a_table_without_texts_is_not_copied():
    frame = pd.DataFrame({"x": [1]})
    assert convert_string_columns(frame) is frame


def test_it_is_mended_once():
    hub.enable_estimator()
    mend_string_columns()
    from tensorflow_estimator.python.estimator.inputs.queues import feeding_functions

    assert not hasattr(feeding_functions._enqueue_data.__wrapped__, "__wrapped__")


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
