"""Hyperparameters, as `tf.contrib.training.HParams` had them."""

from __future__ import annotations

import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubmodule.legacy.hparams import HParams


@pytest.fixture
def params():
    return HParams(rate=0.1, steps=10, name="a", layers=[64, 32], on=True, activation=len)


def test_values_are_attributes(params):
    assert (params.rate, params.steps, params.layers, params.on) == (0.1, 10, [64, 32], True)
    assert params.values()["name"] == "a"
    assert params.get("steps") == 10
    assert params.get("no_such") is None
    assert params.get("no_such", 3) == 3
    assert "steps" in params
    assert "no_such" not in params


def test_a_text_sets_them(params):
    assert params.parse("rate=2,layers=[1, 2,3],on=false,name=b c") is params
    assert (params.rate, params.layers, params.on, params.name) == (2.0, [1, 2, 3], False, "b c")
    params.parse("layers[1]=7")
    assert params.layers == [1, 7, 3]
    params.parse("")


@pytest.mark.parametrize(
    "text",
    ["no_such=1", "steps", "steps=x", "steps=0.5", "on=maybe", "steps=[1]", "layers=1", "rate=[a]"],
)
def test_texts_that_do_not_fit(params, text):
    before = params.values()
    with pytest.raises(ValueError, match=r"hyperparameter|parse"):
        params.parse(text)
    assert params.values() == before


def test_dicts_and_json(params):
    assert params.override_from_dict({"steps": 3.0, "rate": 1}).steps == 3
    assert isinstance(params.rate, float)
    assert params.parse_json('{"layers": [8], "name": "json"}').layers == [8]
    assert json.loads(params.to_json(sort_keys=True)) == {
        "layers": [8],
        "name": "json",
        "on": True,
        "rate": 1.0,
        "steps": 3,
    }
    with pytest.raises(KeyError):
        params.set_hparam("no_such", 1)
    with pytest.raises(ValueError, match="has the type int"):
        params.set_hparam("steps", 0.5)
    with pytest.raises(ValueError, match="has the type str"):
        params.set_hparam("name", 1)


def test_adding_and_removing(params):
    params.add_hparam("more", "x")
    assert params.more == "x"
    with pytest.raises(ValueError, match="attribute of HParams already"):
        params.add_hparam("parse", 1)
    with pytest.raises(ValueError, match="is empty"):
        params.add_hparam("none", [])
    params.del_hparam("more")
    params.del_hparam("more")
    assert "more" not in params
    assert not hasattr(params, "more")


def test_its_text():
    assert str(HParams(b=1, a="x")) == "[('a', 'x'), ('b', 1)]"
    assert repr(HParams(b=1)) == "HParams([('b', 1)])"


def test_the_structure_of_a_model():
    assert HParams(model_structure="m").get_model_structure() == "m"
    with pytest.raises(ValueError, match="not supported"):
        HParams(hparam_def=object())


@given(
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(),
    st.lists(st.integers(), min_size=1),
)
def test_what_is_written_is_read(rate, steps, layers):
    params = HParams(rate=1.0, steps=1, layers=[1])
    params.parse(f"rate={rate!r},steps={steps},layers={layers}")
    assert (params.rate, params.steps, params.layers) == (rate, steps, layers)
    again = HParams(rate=1.0, steps=1, layers=[1]).parse_json(params.to_json())
    assert again.values() == params.values()


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, *sys.argv[1:]]))
