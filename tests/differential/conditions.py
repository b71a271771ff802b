"""Condition tests that hold for a request, and how to make one fail."""

from __future__ import annotations

import random
from typing import Any

from .cases import FAMILIES, Statement
from .forms import date, is_number
from .pools import ALSO, ARNS, KEY, KEYS, TYPE_OF


def recase(rng: random.Random, text: str, chance: float) -> str:
    return rng.choice((text.lower(), text.upper(), text.swapcase())) if rng.random() < chance else text


def add_test(rng: random.Random, request: dict[str, Any], statement: Statement) -> None:
    """Add one test that the request probably passes."""
    key, kind, pool, many = rng.choice(KEYS)
    values = {name.lower(): value for name, value in request["context"].items()}
    have = values.get(key.lower())
    if have in (None, []) and rng.random() < 0.6:
        # Prefer a key that is present: it tests more.
        key, kind, pool, many = rng.choice([row for row in KEYS if row.name.lower() in values] or KEYS)
        have = values.get(key.lower())
    if kind in ALSO and rng.random() < 0.07:
        kind = ALSO[kind]
    operator = rng.choice(FAMILIES[kind])
    negated = "Not" in operator
    if rng.random() < 0.07:
        put(rng, statement, "Null", key, ["true" if have in (None, []) else "false"])
        return
    if have in (None, []):
        roll = rng.random()
        wanted = [rng.choice(pool)]
        if not negated and roll < (0.4 if many else 0.75):
            operator += "IfExists"
        elif roll < 0.9 and many:
            operator = rng.choice((f"ForAllValues:{operator}", f"ForAnyValue:{operator}IfExists"))
    elif isinstance(have, list):
        one = rng.choice(have)
        if rng.random() < 0.45:
            wanted = _matching(rng, operator, one, pool, values)
            operator = f"ForAnyValue:{operator}"
        else:
            wanted = [x for value in have for x in _matching(rng, operator, value, pool, values)]
            if rng.random() < 0.93:
                operator = f"ForAllValues:{operator}"
        operator += "IfExists" if rng.random() < 0.06 else ""
    else:
        wanted = _matching(rng, operator, have, pool, values)
        roll = rng.random()
        if roll < 0.08:
            operator += "IfExists"
        elif roll < 0.13:
            operator = f"{rng.choice(('ForAnyValue', 'ForAllValues'))}:{operator}"
    put(rng, statement, operator, key, wanted)


def put(rng: random.Random, statement: Statement, operator: str, key: str, values: list[str]) -> None:
    block = statement.setdefault("Condition", {}).setdefault(operator, {})
    # Two spellings of one key in one block are a duplicate to AWS, not two tests.
    if key.lower() not in (name.lower() for name in block):
        block[recase(rng, key, 0.25)] = list(dict.fromkeys(values))


def _matching(
    rng: random.Random, operator: str, value: str, pool: tuple[str, ...], context: dict[str, Any]
) -> list[str]:
    """Values with which `operator` probably holds for `value`."""
    kind = TYPE_OF[operator]
    others = [item for item in pool if item != value] or ["zzz"]
    if "Not" in operator:
        wanted = rng.sample(others, min(len(others), rng.choice((1, 1, 2))))
        if kind == "ip":
            wanted = [_network(rng, item, wide=False) for item in wanted]
        if rng.random() < 0.04 and kind in ("string", "arn"):
            wanted.append("${" + rng.choice(KEYS).name + "}")
        return wanted
    if kind == "string":
        wanted = [_string(rng, operator, value, context)]
    elif kind == "arn":
        wanted = [_arn_pattern(rng, value)]
    elif kind == "ip":
        wanted = [_network(rng, value, wide=rng.random() < 0.6)]
    elif kind in ("number", "date") and "Less" in operator:
        wanted = [_beyond(rng, value, pool, up=True, equal="Equals" in operator)]
    elif kind in ("number", "date") and "Greater" in operator:
        wanted = [_beyond(rng, value, pool, up=False, equal="Equals" in operator)]
    else:
        wanted = [value]
    if kind == "date" and rng.random() < 0.05:
        wanted = [_other_form(value) for value in wanted]
    if rng.random() < 0.25:
        wanted.insert(rng.randrange(2), rng.choice(others))
    return wanted


def _other_form(text: str) -> str:
    when = date(text)
    if when is None:
        return text
    return when.strftime("%Y-%m-%dT%H:%M:%SZ") if is_number(text) else str(int(when.timestamp()))


def _string(rng: random.Random, operator: str, value: str, context: dict[str, Any]) -> str:
    roll = rng.random()
    if roll < 0.12:
        twin = [key for key, other in context.items() if other == value]
        if twin:
            return "${" + recase(rng, rng.choice(twin), 0.2) + "}"
    if roll < 0.15:
        return f"${{aws:PrincipalTag/none, '{value}'}}"
    if roll < 0.16 and ("*" in value or "?" in value or "$" in value):
        return value.replace("$", "${$}") if "$" in value else value.replace("*", "${*}").replace("?", "${?}")
    if "Like" in operator:
        if roll < 0.2:
            # A variable with text around it; usually it has no value.
            return rng.choice(("*{}", "{}*", "*{}*")).format("${" + rng.choice(KEYS).name + "}")
        return pattern(rng, value)
    if "IgnoreCase" in operator:
        return value.swapcase() if rng.random() < 0.5 else value
    return value


def pattern(rng: random.Random, value: str) -> str:
    if not value:
        return "*"
    cut = rng.randrange(len(value) + 1)
    spot = rng.randrange(len(value))
    return rng.choice(
        (
            value,
            value[:cut] + "*",
            "*" + value[cut:],
            value[:cut] + "*" + value[cut:],
            value[:spot] + "?" + value[spot + 1 :],
            value[:1] + "*" + value[-1:] if len(value) > 1 else value,
            "*",
            "*" + value[spot] + "*",
        )
    )


def _arn_pattern(rng: random.Random, value: str) -> str:
    parts = value.split(":", 5)
    roll = rng.random()
    if len(parts) < 6 or roll < 0.35:
        return value if roll > 0.02 else "*"
    spot = rng.choice((1, 3, 4, 5, 5, 5))
    if spot == 5:
        parts[5] = pattern(rng, parts[5])
    else:
        parts[spot] = rng.choice(("*", parts[spot][:3] + "*", "*" + parts[spot]))
    return ":".join(parts)


def _network(rng: random.Random, address: str, *, wide: bool) -> str:
    if ":" in address:
        return f"{address}/{rng.choice((32, 48, 64, 127) if wide else (128,))}" if rng.random() < 0.97 else address
    if "." not in address:
        return address
    if not wide:
        return f"{address}/32" if rng.random() < 0.9 else address
    return f"{address}/{rng.choice((8, 16, 24, 30, 31, 1, 20))}" if rng.random() < 0.99 else "0.0.0.0/0"


def _beyond(rng: random.Random, value: str, pool: tuple[str, ...], *, up: bool, equal: bool) -> str:
    """A bound that `value` satisfies, if the pool has one."""

    def order(item: str) -> float:
        return float(item) if is_number(item) else when.timestamp() if (when := date(item)) else -1.0

    if rng.random() < 0.25:
        return value  # the edge itself, whether it is in or out
    good = [item for item in pool if (order(item) > order(value)) == up and item != value]
    return rng.choice(good + ([value] if equal else [])) if good or equal else value


def falsify(rng: random.Random, request: dict[str, Any], statement: Statement) -> None:
    """Change one thing, so that a matching statement probably no longer matches."""
    tests = [(op, key) for op, block in statement.get("Condition", {}).items() for key in block]
    if tests and rng.random() < 0.75:
        operator, key = rng.choice(tests)
        row = KEY[key.lower()]
        statement["Condition"][operator][key] = ["true" if operator == "Null" else rng.choice(row.pool)]
    elif "Principal" in statement and rng.random() < 0.5:
        statement["Principal"] = {"AWS": ["arn:aws:iam::999999999999:root"]}
    elif "Resource" in statement and rng.random() < 0.5:
        statement["Resource"] = [rng.choice(ARNS)]
    elif "Action" in statement:
        trust = "Principal" in statement and "Resource" not in statement
        elsewhere = ("sts:AssumeRoleX", "sts:Get*", "sts:Decode*") + (() if trust else ("s3:*", "iam:*"))
        statement["Action"] = [rng.choice(elsewhere)]
    else:
        put(rng, statement, "StringEquals", "sts:ExternalId", ["nobody"])
