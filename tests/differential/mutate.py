"""Change one thing in a case, or the spelling of the same case."""

from __future__ import annotations

import json
import random
from collections.abc import Callable

from .allowed import deny_only, random_document
from .cases import FAMILIES, Case, Statement, statements
from .conditions import add_test, falsify, recase
from .pools import ACCOUNTS, ARNS, BOOLS, KEY, NAMES, NUMBERS, PARTITIONS, PROVIDERS, SERVICES, TYPE_OF
from .principals import kind_of, other_principal, resource_for


def _drop_key(rng: random.Random, made: Case) -> None:
    context = made["request"]["context"]
    if context:
        del context[rng.choice(sorted(context))]


def _change_value(rng: random.Random, made: Case) -> None:
    context = made["request"]["context"]
    if not context:
        return
    key = rng.choice(sorted(context))
    row = KEY[key.lower()]
    context[key] = rng.sample(row.pool, 2) if row.many else rng.choice(row.pool)
    if row.many and rng.random() < 0.06:
        context[key] = rng.choice(([], [""], ["", ""], [*rng.sample(row.pool, 1), ""]))
    elif rng.random() < 0.015:
        context[key] = rng.choice(("", "abc", list(rng.sample(row.pool, 2))))


def _any_test(rng: random.Random, made: Case) -> tuple[Statement, str, str] | None:
    result = [
        (statement, operator, key)
        for _, statement in statements(made)
        for operator, block in statement.get("Condition", {}).items()
        for key in block
    ]
    return rng.choice(result) if result else None


def _change_test_value(rng: random.Random, made: Case) -> None:
    if (result := _any_test(rng, made)) is None:
        return
    statement, operator, key = result
    row = KEY[key.lower()]
    values = statement["Condition"][operator][key]
    if operator == "Null":
        statement["Condition"][operator][key] = [rng.choice(BOOLS)]
    elif rng.random() < 0.5 or not values:
        statement["Condition"][operator][key] = [rng.choice(row.pool)]
    else:
        values.append(rng.choice(row.pool))


def _change_operator(rng: random.Random, made: Case) -> None:
    if (result := _any_test(rng, made)) is None:
        return
    statement, operator, key = result
    values = statement["Condition"][operator].pop(key)
    if not statement["Condition"][operator]:
        del statement["Condition"][operator]
    base = operator.split(":")[-1].removesuffix("IfExists")
    sets = operator.split(":")[0] + ":" if ":" in operator else ""
    tail = "IfExists" if operator.endswith("IfExists") else ""
    roll = rng.random()
    if base == "Null":
        values = ["true" if values == ["false"] else "false"]
    elif roll < 0.45:
        base = rng.choice(FAMILIES[TYPE_OF[base]])
    elif roll < 0.65:
        tail = "" if tail else "IfExists"
    elif roll < 0.9 or isinstance(made["request"]["context"].get(key), list):
        sets = rng.choice(("ForAnyValue:", "ForAllValues:", "", ""))
    else:
        base, sets, tail, values = "Null", "", "", [rng.choice(BOOLS)]
    block = statement["Condition"].setdefault(sets + base + tail, {})
    for other in [name for name in block if name.lower() == key.lower()]:
        del block[other]  # two spellings of one key in one block are a duplicate, and no case
    block[key] = values


def _add_random_test(rng: random.Random, made: Case) -> None:
    result = [statement for _, statement in statements(made)]
    statement = rng.choice(result) if result else None
    if statement:
        add_test(rng, made["request"], statement)
        if rng.random() < 0.5:
            falsify(rng, made["request"], statement)


def _change_caller(rng: random.Random, made: Case) -> None:
    old = made["request"]["principal"]
    if not old.startswith("arn:") or kind_of(old) in ("web", "saml"):
        old = old if old.startswith("arn:") else ""
        same = SERVICES if kind_of(made["request"]["principal"]) == "service" else PROVIDERS
        head = old.rsplit("/", 1)[0] + "/" if old else ""
        made["request"]["principal"] = head + rng.choice(NAMES if ":saml-provider/" in old else same)
        return
    _, partition, service, _, account, rest = old.split(":", 5)
    roll = rng.random()
    if roll < 0.3:
        account = rng.choice(ACCOUNTS)
    elif roll < 0.4:
        partition = rng.choice(PARTITIONS)
    elif kind_of(old) != "root" and roll < 0.8:
        rest = rest.rsplit("/", 1)[0] + "/" + rng.choice(NAMES)
    elif kind_of(old) == "session":
        rest = f"assumed-role/{rng.choice(NAMES)}/{rest.rsplit('/', 1)[1]}"
    made["request"]["principal"] = f"arn:{partition}:{service}::{account}:{rest}"


def _change_principal(rng: random.Random, made: Case) -> None:
    result = [s for side in ("trust", "resource") if side in made for s in made[side]["Statement"] if "Principal" in s]
    if result:
        rng.choice(result)["Principal"] = other_principal(rng)


def _change_statement(rng: random.Random, made: Case) -> None:
    pairs = list(statements(made))
    if not pairs:
        return
    document, statement = rng.choice(pairs)
    roll = rng.random()
    if roll < 0.3 and "rcps" not in made and "NotPrincipal" not in statement:
        statement["Effect"] = "Deny" if statement["Effect"] == "Allow" else "Allow"
    elif roll < 0.5:
        falsify(rng, made["request"], statement)
    elif roll < 0.6 and len(document["Statement"]) > 1:
        document["Statement"].remove(statement)
    elif roll < 0.75 and "Resource" in statement:
        statement["Resource"] = [rng.choice((resource_for(rng, made["request"]), *ARNS))]
    elif roll < 0.85 and "Resource" in statement and "rcps" not in made:
        statement["NotResource"] = statement.pop("Resource")
        if "*" in statement["NotResource"]:
            statement["NotResource"] = [made["request"]["resource"]]
    elif roll < 0.95 and "Action" in statement and "rcps" not in made:
        statement["NotAction"] = statement.pop("Action")
    else:
        document["Version"] = rng.choice(("2008-10-17", "2012-10-17"))


def _change_sides(rng: random.Random, made: Case) -> None:
    person = kind_of(made["request"]["principal"]) not in ("service", "web", "saml")
    roll = rng.random()
    if roll < 0.3 and person:
        made["identity"] = []
    elif roll < 0.4 and "trust" in made:
        made.pop("identity", None)
    elif roll < 0.6 and person and "identity" in made and not made["request"]["principal"].endswith(":root"):
        made["boundary"] = random_document(rng, made["request"])
    elif roll < 0.7:
        made.pop("scps", None)
    elif "rcps" not in made:
        made["rcps"] = [[deny_only(rng, made["request"])]]


MUTATIONS: tuple[Callable[[random.Random, Case], None], ...] = (
    (_drop_key,) * 3
    + (_change_value,) * 3
    + (_change_test_value,) * 3
    + (_change_operator,) * 3
    + (_add_random_test,) * 2
    + (_change_caller,) * 2
    + (_change_principal, _change_statement, _change_statement, _change_sides)
)


def spell(rng: random.Random, made: Case) -> Case:
    """The same case in other JSON: a single element without a list, `true` for `"true"`, `"*"` for `{"AWS": "*"}`."""
    for _, statement in list(statements(made)):
        for element in ("Action", "NotAction", "Resource", "NotResource"):
            if len(statement.get(element, ())) == 1 and rng.random() < 0.6:
                statement[element] = statement[element][0]
        if statement.get("Principal") == {"AWS": ["*"]} and rng.random() < 0.5:
            statement["Principal"] = "*"
        elif "Principal" in statement and rng.random() < 0.6:
            statement["Principal"] = {k: v[0] if len(v) == 1 else v for k, v in statement["Principal"].items()}
        for operator, block in statement.get("Condition", {}).items():
            for key, values in block.items():
                if len(values) == 1 and rng.random() < 0.6:
                    block[key] = values[0]
                    if values[0] in BOOLS and rng.random() < 0.3:
                        block[key] = values[0] == "true"
                    elif values[0] in NUMBERS and operator.startswith("Numeric") and rng.random() < 0.4:
                        block[key] = json.loads(values[0])
        if "Condition" in statement:
            blocks = statement["Condition"].items()
            statement["Condition"] = {recase(rng, operator, 0.03): block for operator, block in blocks}
    request = made["request"]
    request["action"] = recase(rng, request["action"], 0.05)
    if request["resource"].split(":")[4:5] == [request["resource_account"]] and rng.random() < 0.2:
        del request["resource_account"]  # the ARN says it
    for document, _ in list(statements(made)):
        if isinstance(document["Statement"], list) and len(document["Statement"]) == 1 and rng.random() < 0.25:
            document["Statement"] = document["Statement"][0]
    return made
