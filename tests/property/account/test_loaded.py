"""All JSON and YAML content is read and written without loss."""

from __future__ import annotations

import json

import yaml
from hypothesis import given
from hypothesis import strategies as st

from valetkey.account.loaded import load_json, load_yaml, written
from valetkey.policy.policy_json import JsonObject
from valetkey.policy.policy_json import load_json as load_policy

TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT
# Objects as lists of pairs: keys may be duplicates.


def _containers(inner):
    pairs = st.lists(st.tuples(TEXT, inner), max_size=4).map(JsonObject)
    return st.lists(inner, max_size=4) | pairs


VALUES = st.recursive(LEAVES, _containers, max_leaves=15)


def _json(value):
    if isinstance(value, JsonObject):
        return "{" + ", ".join(f"{json.dumps(key, ensure_ascii=False)} : {_json(item)}" for key, item in value) + "}"
    if isinstance(value, list):
        return "[ " + " ,".join(map(_json, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


@given(VALUES)
def test_json_keeps_every_pair_in_order_and_every_number_as_written(value):
    text = _json(value)
    again = written(load_json(text.encode(), "x"))
    assert load_policy(again, 10**6) == load_policy(text, 10**6)


KEYS = TEXT | st.just("<<")
PLAIN = st.recursive(
    TEXT, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=15
)


@given(PLAIN, st.booleans())
def test_yaml_of_texts_is_read_as_it_was(value, flow):
    text = yaml.safe_dump(value, default_flow_style=flow, sort_keys=False)
    assert load_yaml(text.encode(), "x") == value
