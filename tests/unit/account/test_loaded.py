"""Files as loaded values, under limits."""

from __future__ import annotations

import gzip
import json
import time
import tracemalloc

import pytest

from valetkey.account import loaded
from valetkey.account.cloudformation import read_template
from valetkey.account.loaded import SourceError, load_json, load_yaml, unpacked, written
from valetkey.account.place import Place


def test_scalars_of_yaml_stay_as_they_are_written():
    read = load_yaml(b"account: 012345670123\nsession: 3600\nversion: 2012-10-17\non: yes\nNull: ~\nempty:\n", "t.yaml")
    assert read == {
        "account": "012345670123",
        "session": "3600",
        "version": "2012-10-17",
        "on": "yes",
        "Null": "~",
        "empty": "",
    }


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("!Ref Name", {"Ref": "Name"}),
        ("!GetAtt Role.Arn", {"Fn::GetAtt": ["Role", "Arn"]}),
        ("!GetAtt [Role, Arn]", {"Fn::GetAtt": ["Role", "Arn"]}),
        ("!Sub 'a-${B}'", {"Fn::Sub": "a-${B}"}),
        ("!Join [':', [a, !Ref B]]", {"Fn::Join": [":", ["a", {"Ref": "B"}]]}),
        ("!If [C, !Ref A, !Ref 'AWS::NoValue']", {"Fn::If": ["C", {"Ref": "A"}, {"Ref": "AWS::NoValue"}]}),
        ("!Condition C", {"Condition": "C"}),
        ("!!str 5", "5"),
        ("! 5", "5"),
    ],
)
def test_short_tags_become_their_long_form(short, long):
    assert load_yaml(f"a: {short}".encode(), "t.yaml") == {"a": long}


def test_a_tag_runs_nothing():
    assert load_yaml(b"a: !!python/object/apply:os.system ['x']", "t.yaml") == {"a": ["x"]}


def test_a_key_given_twice_stays_given_twice():
    text = '{"a":1.50,"a":{"b":null,"b":[true]}}'
    assert written(load_json(text.encode(), "t.json")) == text
    assert written(load_yaml(b"a: x\nb: {c: y, c: z}\na: w", "t.yaml")) == '{"a":"x","b":{"c":"y","c":"z"},"a":"w"}'


def test_anchors_aliases_and_merges():
    text = b"base: &base {a: 1, b: 2}\nown: {<<: *base, b: 3}\nboth: {<<: [*base, {c: 4, a: 5}]}\nsame: *base\n"
    read = load_yaml(text, "t.yaml")
    assert read["own"] == {"b": "3", "a": "1"}
    assert read["both"] == {"a": "1", "b": "2", "c": "4"}
    assert read["same"] == read["base"]


LAUGHS = b"a: &a [x,x,x,x,x,x,x,x,x,x]\n" + b"".join(
    b"%c: &%c [%s]\n" % (98 + step, 98 + step, b",".join([b"*%c" % (97 + step)] * 10)) for step in range(20)
)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (LAUGHS, "more than 500,000 values"),
        (b"[" * 100_000, "nested too deeply"),
        (b"a: &a [*a]", "refers to nothing"),
        (b"a: b: c", "no YAML: mapping values are not allowed here|not allowed in this context"),
        (b"a: 1\n---\nb: 2", "second document"),
        (b"\xff\xff", "not UTF-8"),
        (b"a: \x00", "characters that YAML does not allow"),
        (b"? [a]\n: b", "a key is a list"),
        (b"a: " + b"x" * loaded.YAML_MAX, "larger than 4 MB"),
    ],
)
def test_hostile_and_broken_yaml_is_refused(text, says):
    with pytest.raises(SourceError, match=says) as raised:
        load_yaml(text, "t.yaml")
    assert raised.value.where.startswith("t.yaml")


def test_without_the_c_parser_it_reads_the_same(monkeypatch):
    import yaml

    text = b"a: !Sub [x, {y: !Ref z}]\nb: &b [1]\nc: *b"
    fast = load_yaml(text, "t.yaml")
    monkeypatch.delattr(yaml, "CBaseLoader", raising=False)
    assert load_yaml(text, "t.yaml") == fast
    with pytest.raises(SourceError, match="nested too deeply"):
        load_yaml(b"[" * 200, "t.yaml")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"[" * 100_000, "nested too deeply"),
        (b"{", "not JSON: Expecting property name"),
        (b"\xff", "not UTF-8"),
    ],
)
def test_hostile_and_broken_json_is_refused(text, says):
    with pytest.raises(SourceError, match=says):
        load_json(text, "t.json")


def test_many_keys_given_twice_cost_one_pass():
    keys = "".join(f"  k{number}: v\n" for number in range(15_000))
    begin = time.process_time()
    result = load_yaml(f"a: &a\n{keys}{keys}b:\n  <<: *a\n".encode(), "t.yaml")
    read_template({"Resources": {}, "Parameters": result["a"]}, "t.yaml", Place(None, "aws", "us-east-1"))
    assert time.process_time() - begin < 5
    assert result["a"].lines["k7"] == 15_000 + 9


def test_gzip_is_recognised_whatever_the_name():
    assert unpacked(gzip.compress(b"{}") + gzip.compress(b" "), "dump.json") == b"{} "


@pytest.mark.parametrize(
    "data",
    [gzip.compress(b"x" * 100)[:-9], b"\x1f\x8bxx", gzip.compress(b"x") + b"trailing"],
    ids=["cut off", "no gzip", "something after it"],
)
def test_broken_gzip_is_refused(data):
    with pytest.raises(SourceError, match="broken gzip"):
        unpacked(data, "dump.json.gz")


def test_a_bomb_is_refused_before_it_is_unpacked(monkeypatch):
    monkeypatch.setattr(loaded, "FILE_MAX", 1_000_000)
    with pytest.raises(SourceError, match="larger than"):
        unpacked(gzip.compress(b"\0" * 50_000_000), "dump.json.gz")
    with pytest.raises(SourceError, match="larger than"):
        unpacked(b" " * 1_000_001, "dump.json")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_byte_order_marks_go(encoding):
    assert json.loads(unpacked('{"a": "ä"}'.encode(encoding), "dump.json")) == {"a": "ä"}


def test_what_is_too_large_is_refused_without_being_held(monkeypatch):
    monkeypatch.setattr(loaded, "FILE_MAX", 100 * 2**20)
    zeros = gzip.compress(b"\0" * 20_000_000, 1)
    spaces = gzip.compress(b'{"a": "' + b" " * 110_000_000, 1)
    yaml = gzip.compress(b"Resources: {}\n" * 1_000_000, 1)
    tracemalloc.start()
    try:
        for data, limit, most in ((zeros, "4 MB", 10), (spaces, "100 MB", 70), (yaml, "4 MB", 10)):
            tracemalloc.reset_peak()
            with pytest.raises(SourceError, match=f"larger than {limit}"):
                unpacked(data, "dump.gz")
            assert tracemalloc.get_traced_memory()[1] < most * 2**20
    finally:
        tracemalloc.stop()


def test_what_is_large_and_allowed_is_read_whole():
    data = b"[" + b'"aaaaaaaaaaaaaaaa",' * 2_500_000 + b'""]'
    assert unpacked(gzip.compress(data, 1), "dump.json.gz") == data
