"""Random pairs of policies of which one is almost within the other, and requests that both almost allow.

A pair is plain JSON, so that it can be recorded and shrunk:

    {"kind": "trust" | "identity" | "resource", "policy": document, "within": document}

The second document is the first with one to three changes (`mutate`), or vice versa; a few pairs are unrelated.
`pair(seed, number)` is deterministic.
"""

from __future__ import annotations

import copy
import random
from typing import Any

from .allowed import allowed, random_document
from .cases import Case, Document, base, condition_tests
from .mutate import MUTATIONS, spell
from .pools import KEY, KEYS, OWNER, READABLE, TYPE_OF

Pair = dict[str, Any]
ROLE = f"arn:aws:iam::{OWNER}:role/dev"
_SIDE = {"trust": "trust", "identity": "identity", "resource": "resource"}


def pair(seed: str | int, number: int) -> Pair:
    rng = random.Random(f"pair:{seed}:{number}")
    kind = rng.choice(("trust",) * 7 + ("identity",) * 2 + ("resource",))
    made = _case(rng, kind)
    first = copy.deepcopy(_document(made, kind))
    roll = rng.random()
    if roll < 0.05:
        second = _document(_case(rng, kind), kind)
    else:
        for _ in range(rng.choice((0, 1, 1, 1, 2, 2, 3)) if roll < 0.9 else 6):
            _change(rng, made, kind)
        second = _document(made, kind)
    for document in (first, second):
        if rng.random() < 0.9:
            document["Version"] = "2012-10-17"
        _tidy(rng, kind, document)
    if rng.random() < 0.5:
        first, second = second, first
    return {"kind": kind, "policy": first, "within": second}


def _case(rng: random.Random, kind: str) -> Case:
    """A case whose document of this kind allows its request."""
    while True:
        made = allowed(rng)
        request = made["request"]
        if (kind == "trust") is not request["action"].startswith("sts:"):
            continue
        document = random_document(rng, request, principal=kind != "identity", resource=kind != "trust")
        return {"request": request, kind: [document] if kind == "identity" else document}


def _document(made: Case, kind: str) -> Document:
    result: Document = made[kind][0] if kind == "identity" else made[kind]
    return result


def _change(rng: random.Random, made: Case, kind: str) -> None:
    """One change that is visible in the document."""
    before = copy.deepcopy(made)
    for _ in range(20):
        if rng.random() < 0.35:
            _nearest(rng, made)
        else:
            rng.choice(MUTATIONS)(rng, made)
        for side in set(made) - {"request", kind}:
            del made[side]
        if kind not in made or not made[kind]:
            made |= copy.deepcopy({kind: before[kind]})
        if made[kind] != before[kind]:
            return


_SIBLINGS = {
    "StringEquals": ("StringLike", "StringEqualsIgnoreCase"),
    "StringEqualsIgnoreCase": ("StringEquals", "StringLike"),
    "StringLike": ("StringEquals", "ArnLike"),
    "StringNotEquals": ("StringNotLike", "StringNotEqualsIgnoreCase"),
    "StringNotLike": ("StringNotEquals", "ArnNotLike"),
    "ArnLike": ("StringLike", "StringEquals"),
    "ArnEquals": ("StringLike", "StringEquals"),
    "ArnNotLike": ("StringNotLike", "StringNotEquals"),
    "ArnNotEquals": ("StringNotLike", "StringNotEquals"),
    "NumericLessThan": ("NumericLessThanEquals",),
    "NumericLessThanEquals": ("NumericLessThan",),
    "NumericGreaterThan": ("NumericGreaterThanEquals",),
    "NumericGreaterThanEquals": ("NumericGreaterThan",),
    "DateLessThan": ("DateLessThanEquals",),
    "DateLessThanEquals": ("DateLessThan",),
    "DateGreaterThan": ("DateGreaterThanEquals",),
    "DateGreaterThanEquals": ("DateGreaterThan",),
    "Bool": ("StringEquals", "StringEqualsIgnoreCase"),
}


def _nearest(rng: random.Random, made: Case) -> None:
    """Change one test to the most similar one: a neighbouring operator, or the next value."""
    result = [(statement, name, key) for _, statement, name, key, _ in condition_tests(made)]
    if not result:
        return
    statement, name, key = rng.choice(result)
    values = statement["Condition"][name].pop(key)
    bare = base(name)
    roll = rng.random()
    if roll < 0.5 and bare in _SIBLINGS:
        name = name.replace(bare, rng.choice(_SIBLINGS[bare]))
    elif roll < 0.65 and bare != "Null":
        name = name.removesuffix("IfExists") if name.endswith("IfExists") else f"{name}IfExists"
    elif bare == "Null":
        values = ["true" if values == ["false"] else "false"]
    else:
        values = [_further(rng, value) for value in values]
    statement["Condition"].setdefault(name, {})[key] = values
    statement["Condition"] = {item: block for item, block in statement["Condition"].items() if block}


def _further(rng: random.Random, value: Any) -> Any:
    text = str(value)
    head, slash, prefix = text.partition("/")
    if slash and prefix.isdigit() and not head.isalpha():
        return f"{head}/{max(0, int(prefix) - 1)}"
    if text.isdigit() and len(text) < 11:
        return str(int(text) + rng.choice((-1, 1)))
    if rng.random() < 0.15 and not set(text) & set("${}',"):
        return rng.choice((f"${{aws:username, '{text}'}}", f"${{aws:PrincipalTag/none, '{text}'}}", "${aws:username}"))
    if text.startswith("arn:") and rng.random() < 0.5:
        parts = text.split(":", 5)
        parts[4] = rng.choice((f"*{parts[4]}", f"{parts[4]}*", "*"))
        return ":".join(parts)
    return rng.choice((f"{text}*", f"*{text}", f"{text}?", text.swapcase(), text[:-1] + "?"))


def _tidy(rng: random.Random, kind: str, document: Document) -> None:
    """Remove what AWS would refuse, and vary the spelling."""
    case: Case = {"request": {"action": "sts:AssumeRole", "resource": ROLE, "resource_account": OWNER, "context": {}}}
    case[kind] = [document] if kind == "identity" else document
    for _, _, operator, _, values in condition_tests(case):
        readable, others = READABLE.get(TYPE_OF.get(base(operator), ""), (None, ()))
        if readable:
            values[:] = [value if readable(value) else rng.choice(others) for value in values]
    spell(rng, case)


def requests(rng: random.Random, made: Pair, count: int) -> list[dict[str, Any]]:
    """Requests with the names and values of the two documents, and similar ones."""
    return [_request(rng, made) for _ in range(count)]


def _request(rng: random.Random, made: Pair) -> dict[str, Any]:
    result = [s for name in ("policy", "within") for s in _list(made[name]["Statement"])]
    one = rng.choice(result)
    wanted: dict[str, list[str]] = {}
    for statement in result:
        for block in statement.get("Condition", {}).values():
            for key, values in block.items():
                wanted.setdefault(key.lower(), []).extend(
                    str(v).lower() if v is True or v is False else str(v) for v in _list(values)
                )
    principal = _caller(rng, [one] if rng.random() < 0.8 else result, wanted)
    context: dict[str, Any] = {}
    for key, values in wanted.items():
        row = KEY.get(key)
        if key in _FOLLOW or rng.random() < 0.2:
            continue
        choices = [*values, *(row.pool if row else ())]
        value = _near(rng, rng.choice(values) if rng.random() < 0.8 else rng.choice(choices))
        context[key] = [value, _near(rng, rng.choice(choices))] if row and row.many and rng.random() < 0.6 else value
    return {
        "principal": principal,
        "action": _action(rng, one, made["kind"], principal),
        "resource": ROLE if made["kind"] == "trust" else _resource(rng, one),
        "resource_account": OWNER,
        "context": context,
    }


_FOLLOW = frozenset(
    key.name.lower()
    for key in KEYS
    if key.name.lower().startswith(("aws:principal", "aws:user")) and "tag" not in key.name.lower()
) - {"aws:principalorgid", "aws:principalorgpaths"}


def _near(rng: random.Random, text: str) -> str:
    """A text that matches a pattern, or almost."""
    text = "".join(
        rng.choice(("", "x", "xy", "*", ":", "/", "x:y")) if c == "*" else rng.choice("xq") if c == "?" else c
        for c in text
    )
    if rng.random() < 0.1 and text:
        text = rng.choice((text + "x", text[:-1], text.swapcase()))
    if "/" in text and text.replace(".", "").replace("/", "").isdigit():
        text = text.split("/")[0]
    return text


def _caller(rng: random.Random, result: list[Any], wanted: dict[str, list[str]]) -> str:
    names: list[str] = []
    for statement in result:
        element = statement.get("Principal", statement.get("NotPrincipal", "*"))
        if isinstance(element, dict):
            names += [item for values in element.values() for item in _list(values)]
    names += [_near(rng, item) for item in wanted.get("aws:principalarn", ()) if rng.random() < 0.5]
    name = rng.choice(names or ["*"])
    if name == "*" or name[:4] in ("AROA", "AIDA"):
        name = rng.choice((OWNER, "444455556666", "arn:aws:iam::444455556666:role/dev", "ec2.amazonaws.com"))
    if name.isdigit() or name.endswith(":root"):
        account = name if name.isdigit() else name.split(":")[4]
        return rng.choice(
            (
                f"arn:aws:iam::{account}:user/{rng.choice(('dev', 'Dev', 'team/dev', 'ops'))}",
                f"arn:aws:sts::{account}:assumed-role/{rng.choice(('dev', 'ops'))}/{rng.choice(('dev', 'abc'))}",
            )
        )
    if ":role/" in name:
        home, role = name.replace(":iam:", ":sts:").split(":role/")
        return f"{home}:assumed-role/{role.rsplit('/', 1)[-1]}/{rng.choice(('dev', 'abc'))}"
    return name


def _action(rng: random.Random, statement: Any, kind: str, principal: str) -> str:
    if kind == "trust":
        if "saml-provider" in principal:
            return "sts:AssumeRoleWithSAML"
        if "oidc-provider" in principal or principal in ("accounts.google.com", "www.amazon.com"):
            return "sts:AssumeRoleWithWebIdentity"
        return rng.choice(
            ("sts:AssumeRole", "sts:AssumeRole", "sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity")
        )
    named = [item for item in _list(statement.get("Action", "*")) if "*" not in item and "?" not in item]
    return rng.choice([*named, "s3:GetObject", "kms:Decrypt", "ec2:DescribeInstances", "sts:AssumeRole"])


def _resource(rng: random.Random, statement: Any) -> str:
    named = _list(statement.get("Resource", statement.get("NotResource", "*")))
    text = _near(rng, rng.choice(named))
    return text if text.count(":") >= 5 and "${" not in text else rng.choice((ROLE, "arn:aws:s3:::bucket/key", "*"))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
