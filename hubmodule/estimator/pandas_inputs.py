"""Makes `tf.estimator.inputs.pandas_input_fn` read the string columns of pandas 3.

Before pandas 3, a column of texts had the dtype `object`, which the Estimator reads as tf.string.
Now it has a dtype of pandas' own, which TensorFlow does not know.
"""

from __future__ import annotations

import functools
from types import ModuleType
from typing import Any

_FEEDING = "tensorflow_estimator.python.estimator.inputs.queues.feeding_functions"


def mend_string_columns() -> None:
    """Mends the Estimator's queues when they are imported, or now if they are; may be repeated."""
    # TensorFlow itself depends on wrapt.
    import wrapt

    wrapt.register_post_import_hook(_mend, _FEEDING)


def _mend(feeding: ModuleType) -> None:
    enqueue = feeding._enqueue_data
    if hasattr(enqueue, "__wrapped__"):
        return

    @functools.wraps(enqueue)
    def enqueue_data(data: Any, *args: Any, **kwargs: Any) -> Any:
        return enqueue(convert_string_columns(data), *args, **kwargs)

    feeding._enqueue_data = enqueue_data  # type: ignore[attr-defined]


def convert_string_columns(data: Any) -> Any:
    """Returns a table whose string columns have the dtype `object`.

    Args:
        data: A pandas.DataFrame; anything else, such as arrays, is returned as it is.
    """
    dtypes: Any = getattr(data, "dtypes", None)
    if not hasattr(dtypes, "items"):
        return data
    strings = [column for column, dtype in dtypes.items() if dtype.name in ("str", "string")]
    return data.astype(dict.fromkeys(strings, object)) if strings else data
