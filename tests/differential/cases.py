"""The format of a case, and its evaluation by our side.

A case is plain JSON, the object that `valetkey decide` reads, so that it can be recorded, shrunk and sent to another
process unchanged:

    {"request": {"principal": ..., "action": ..., "resource": ..., "resource_account": ...,
                 "context": {key: str | [str]}},
     "trust": document, "identity": [document], "boundary": document, "session": document,
     "scps": [[document]], "rcps": [[document]], "resource": document}

An absent side does not exist; without `identity` the caller's side is not evaluated, and `[]` means that it has no
policies. A verdict is `allowed`, `explicit_deny` or `implicit_deny`; `refused: ...` if a document could not be read.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from valetkey.errors import PolicyError
from valetkey.policy import Request, decide, parse_policy

Case = dict[str, Any]
Document = dict[str, Any]
Statement = dict[str, Any]

ONE = ("trust", "resource", "boundary", "session")
"""Sides with one document."""
LEVELS = ("scps", "rcps")
"""Sides with a list of levels, each a list of documents."""
ORDER = ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals")
TEXT = ("Equals", "NotEquals", "EqualsIgnoreCase", "NotEqualsIgnoreCase", "Like", "NotLike")
FAMILIES = {
    "string": tuple(f"String{name}" for name in TEXT),
    "arn": ("ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"),
    "number": tuple(f"Numeric{name}" for name in ORDER),
    "date": tuple(f"Date{name}" for name in ORDER),
    "bool": ("Bool",),
    "ip": ("IpAddress", "NotIpAddress"),
    "binary": ("BinaryEquals",),
}
"""AWS's condition operators except Null, by the type that they compare."""
CANONICAL = {
    name.lower(): name
    for operators in (*FAMILIES.values(), ("Null",))
    for operator in operators
    for name in (
        f"{sets}{operator}{tail}" for sets in ("", "ForAnyValue:", "ForAllValues:") for tail in ("", "IfExists")
    )
}
ELEMENTS = ("Action", "NotAction", "Resource", "NotResource")


def ours(case: Case) -> str:
    """The verdict of `valetkey.policy.decide`."""
    try:
        sides: dict[str, Any] = {side: parse_policy(case[side], kind=side) for side in ONE if case.get(side)}
        if case.get("identity") is not None:
            sides["identity"] = [parse_policy(document, kind="identity") for document in case["identity"]]
        for side in LEVELS:
            sides[side] = [[parse_policy(d, kind=side[:-1]) for d in level] for level in case.get(side, ())]
        return decide(Request(**case["request"]), **sides).outcome
    except PolicyError as error:
        return f"refused: {error}"
    except Exception as error:  # a crash is a finding, shown with its case like any other
        return f"error: {type(error).__name__}: {error}"


def well_posed(case: Case) -> bool:
    """Whether both sides can evaluate the case. They cannot without any policy that could allow, nor for a KMS key
    without its policy, which does not exist in AWS."""
    if case["request"]["action"].lower().startswith("kms:") and not case.get("resource"):
        return False
    return bool(case.get("trust") or case.get("identity") is not None)


def for_referee(case: Case) -> Case:
    """The case for the referee, which does not derive keys from the caller, and handles a list of one differently.

    The keys are those of reference_policies_condition-keys, "Properties of the principal". They are written here a
    second time, independently of the product, so that a missing or misspelt key of the product causes a difference.
    """
    given = case["request"]["context"]
    keys = {key: value[0] if isinstance(value, list) and len(value) == 1 else value for key, value in given.items()}
    keys = {key: value for key, value in keys.items() if value != []}
    there = {key.lower() for key in keys}
    keys |= {key: value for key, value in _filled_in(case["request"]["principal"]).items() if key.lower() not in there}
    return {**case, "request": {**case["request"], "resource_account": _owner(case), "context": keys}}


def _owner(case: Case) -> str:
    given: str | None = case["request"].get("resource_account")
    return given or case["request"]["resource"].split(":")[4]


def _filled_in(principal: str) -> dict[str, str]:
    if principal.endswith((".amazonaws.com", ".amazonaws.com.cn")):
        return {"aws:PrincipalIsAWSService": "true", "aws:PrincipalServiceName": principal}
    if not principal.startswith("arn:") or "-provider/" in principal:
        return {}
    _, partition, _, _, account, rest = principal.split(":", 5)
    kind, _, name = rest.partition("/")
    keys = {"aws:PrincipalArn": principal, "aws:PrincipalAccount": account, "aws:PrincipalIsAWSService": "false"}
    if kind == "user":
        return keys | {"aws:PrincipalType": "User", "aws:username": name.rpartition("/")[2]}
    if kind == "assumed-role":
        role = f"arn:{partition}:iam::{account}:role/{name.partition('/')[0]}"
        return keys | {"aws:PrincipalType": "AssumedRole", "aws:PrincipalArn": role}
    if kind == "federated-user":
        return keys | {"aws:PrincipalType": "FederatedUser", "aws:userid": f"{account}:{name}"}
    return keys | {"aws:PrincipalType": "Account", "aws:userid": account}


def documents(case: Case) -> Iterator[tuple[str, Document]]:
    """Every document with the name of its side."""
    for side in ONE:
        if case.get(side):
            yield side, case[side]
    for document in case.get("identity") or ():
        yield "identity", document
    for side in LEVELS:
        for level in case.get(side, ()):
            for document in level:
                yield side, document


def statements(case: Case) -> Iterator[tuple[Document, Statement]]:
    """Every statement of a case in normal form, with its document."""
    for _, document in documents(case):
        for statement in document["Statement"]:
            yield document, statement


def condition_tests(case: Case) -> Iterator[tuple[Document, Statement, str, str, list[str]]]:
    """Every condition test of a case in normal form: document, statement, operator, key, values (the original list)."""
    for document, statement in statements(case):
        for operator, block in statement.get("Condition", {}).items():
            for key, values in block.items():
                yield document, statement, operator, key, values


def normal(case: Case) -> Case:
    """A copy in normal form: lists everywhere, condition values as strings, operators in AWS's spelling."""
    case = copy.deepcopy(case)
    case["request"]["resource_account"] = _owner(case)
    for _, document in documents(case):
        document["Statement"] = _list(document["Statement"])
        for statement in document["Statement"]:
            for element in ELEMENTS:
                if element in statement:
                    statement[element] = _list(statement[element])
            for element in ("Principal", "NotPrincipal"):
                if statement.get(element) == "*":
                    statement[element] = {"AWS": ["*"]}
                elif element in statement:
                    statement[element] = {kind: _list(ids) for kind, ids in statement[element].items()}
            if "Condition" in statement:
                statement["Condition"] = {
                    CANONICAL[operator.lower()]: {
                        key: [_text(value) for value in _list(values)] for key, values in block.items()
                    }
                    for operator, block in statement["Condition"].items()
                }
    return case


def base(operator: str) -> str:
    """`ForAllValues:StringLikeIfExists` -> `StringLike`"""
    return operator.split(":")[-1].removesuffix("IfExists")


def drop_test(statement: Statement, operator: str, key: str) -> None:
    """Remove one condition test from a statement in normal form."""
    del statement["Condition"][operator][key]
    if not statement["Condition"][operator]:
        del statement["Condition"][operator]
    if not statement["Condition"]:
        del statement["Condition"]


def context(case: Case) -> dict[str, str | list[str]]:
    """The request's context for both sides, with keys in lower case."""
    return {key.lower(): value for key, value in for_referee(case)["request"]["context"].items()}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
