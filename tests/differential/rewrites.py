"""Rewritings of a case, each of which removes one cause of a known difference of the referee (see `known`).

Each works in place on a case in normal form and keeps the result that AWS documents: a condition value that matches
nothing is replaced by another that matches nothing, `0.0.0.0/0` by its two halves, and a test that is always true is
removed.
"""

from __future__ import annotations

import datetime
import ipaddress
import re
from collections.abc import Callable, Iterator

from .cases import Case, Statement, base, condition_tests, context, drop_test, statements
from .forms import date, is_address, is_arn, is_date, is_network, is_number
from .principals import kind_of, principal_arn

NOTHING = "\u2205 no such text"
NOBODY = "arn:aws:iam::000000000000:root"
ACCOUNT = re.compile(r"\d{12}|arn:[^:]*:iam::\d{12}:root")
NO_ARN = "arn:none:none:none:none:none"
VARIABLE = re.compile(r"\$\{([^}]*)\}")
EXACT = ("StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase")


def _named(case: Case) -> Iterator[tuple[Statement, str, list[str]]]:
    """Every list of AWS principals: statement, element, and the original list."""
    for _, statement in statements(case):
        for element in ("Principal", "NotPrincipal"):
            if "AWS" in statement.get(element, {}):
                yield statement, element, statement[element]["AWS"]


def _never(statement: Statement) -> None:
    """A test that no request passes: it requires a key that no request has."""
    statement.setdefault("Condition", {}).setdefault("Null", {})["key:Nobody"] = ["false"]


def null_variable(case: Case) -> None:
    have = context(case)

    def valueless(match: re.Match[str]) -> bool:
        inside = match[1]
        return inside not in ("*", "?", "$") and "," not in inside and not isinstance(have.get(inside.lower()), str)

    for document, _, operator, _, values in condition_tests(case):
        nobody = NO_ARN if base(operator).startswith("Arn") else NOTHING
        if document.get("Version") == "2012-10-17" and base(operator).startswith(("String", "Arn")):
            values[:] = [nobody if any(map(valueless, VARIABLE.finditer(value))) else value for value in values]
    # NotResource is a negated test too: an entry without a value excludes no resource.
    for document, statement in statements(case):
        if document.get("Version") == "2012-10-17" and "NotResource" in statement:
            listed = statement["NotResource"]
            listed[:] = [NO_ARN if any(map(valueless, VARIABLE.finditer(value))) else value for value in listed]


def arn_variable(case: Case) -> None:
    have = context(case)

    def value(match: re.Match[str]) -> str:
        text = have.get(match[1].lower())
        # Inserted values are literal text.
        return re.sub(r"[*?]", r"${\g<0>}", text) if isinstance(text, str) else match[0]

    for document, _, operator, _, values in condition_tests(case):
        if document.get("Version") == "2012-10-17" and base(operator).startswith("Arn"):
            values[:] = [VARIABLE.sub(value, item) for item in values]


def empty_variable(case: Case) -> None:
    have = context(case)

    def filled(match: re.Match[str]) -> str:
        return "" if have.get(match[1].partition(",")[0].lower()) == "" else match[0]

    for document, statement in statements(case):
        if document.get("Version") == "2012-10-17":
            blocks = statement.get("Condition", {}).values()
            lists = [values for block in blocks for values in block.values()]
            lists += [statement[element] for element in ("Resource", "NotResource") if element in statement]
            for values in lists:
                values[:] = [VARIABLE.sub(filled, value) for value in values]


def no_version(case: Case) -> None:
    for document, statement in statements(case):
        if document.get("Version") == "2012-10-17":
            continue
        for operator, block in statement.get("Condition", {}).items():
            for values in block.values():
                nobody = NO_ARN if base(operator).startswith("Arn") else NOTHING
                values[:] = [nobody if "${" in value else value for value in values]
        for element in ("Resource", "NotResource"):
            if element in statement:
                statement[element] = [NO_ARN if "${" in value else value for value in statement[element]]


def ipv4_zero(case: Case) -> None:
    for _, _, operator, _, values in condition_tests(case):
        if base(operator) in ("IpAddress", "NotIpAddress"):
            values[:] = [h for v in values for h in (("0.0.0.0/1", "128.0.0.0/1") if v == "0.0.0.0/0" else (v,))]


def no_prefix(case: Case) -> None:
    for _, _, operator, _, values in condition_tests(case):
        if base(operator) in ("IpAddress", "NotIpAddress"):
            values[:] = [str(ipaddress.ip_network(v)) if is_address(v) else v for v in values]


def two_date_forms(case: Case) -> None:
    have = context(case)
    for _, _, operator, key, values in condition_tests(case):
        value = have.get(key.lower())
        if base(operator).startswith("Date") and isinstance(value, str):
            values[:] = [_date_like(v, epoch=is_number(value)) for v in values]


def _date_like(text: str, *, epoch: bool) -> str:
    when = date(text)
    if when is None:
        return text
    return str(int(when.timestamp())) if epoch else when.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def escapes(case: Case) -> None:
    for document, _, operator, _, values in condition_tests(case):
        if base(operator) in EXACT and document.get("Version") == "2012-10-17":
            values[:] = [re.sub(r"\$\{([*?$])\}", r"\1", value) for value in values]


def empty_set(case: Case) -> None:
    have = context(case)
    for _, statement, operator, key, _ in list(condition_tests(case)):
        if not any(have.get(key.lower(), "-")) and ":" in operator:
            drop_test(statement, operator, key)
            if operator.startswith("ForAnyValue:"):
                _never(statement)


def short_arn(case: Case) -> None:
    have = context(case)
    for _, statement, operator, key, values in list(condition_tests(case)):
        short = base(operator) in ("ArnEquals", "ArnLike") and any(value.count(":") < 5 for value in values)
        if short and key.lower() in have and statement["Effect"] == "Deny":
            drop_test(statement, operator, key)


def several_in_variable(case: Case) -> None:
    have = context(case)

    def several(text: str) -> bool:
        return any(isinstance(have.get(inside.partition(",")[0].lower()), list) for inside in VARIABLE.findall(text))

    for document, statement in statements(case):
        if document.get("Version") != "2012-10-17" or statement["Effect"] != "Deny":
            continue
        if any(map(several, statement.get("Resource", []))) or any(map(several, statement.get("NotResource", []))):
            statement.pop("NotResource", None)
            statement["Resource"] = ["*"]
    for document, statement, operator, key, values in list(condition_tests(case)):
        taken = document.get("Version") == "2012-10-17" and base(operator).startswith(("String", "Arn"))
        sent = key.lower() in have or operator.endswith("IfExists")
        if taken and sent and statement["Effect"] == "Deny" and any(map(several, values)):
            drop_test(statement, operator, key)


def several_values(case: Case) -> None:
    have = context(case)
    for _, statement, operator, key, _ in list(condition_tests(case)):
        several = isinstance(have.get(key.lower()), list) and ":" not in operator and operator != "Null"
        if several and statement["Effect"] == "Deny":
            drop_test(statement, operator, key)


def forany_ifexists(case: Case) -> None:
    have = context(case)
    for _, statement, operator, key, _ in list(condition_tests(case)):
        missing = operator.startswith("ForAnyValue:") and operator.endswith("IfExists") and key.lower() not in have
        if missing and statement["Effect"] == "Deny":
            drop_test(statement, operator, key)


def malformed(case: Case) -> None:
    have = context(case)
    for _, statement, operator, key, values in list(condition_tests(case)):
        well = WELL_FORMED.get(base(operator))
        value = have.get(key.lower())
        if well is None or value is None or statement["Effect"] != "Deny":
            continue
        if not all(map(well, [*values, *([value] if isinstance(value, str) else value)])):
            drop_test(statement, operator, key)


WELL_FORMED: dict[str, Callable[[str], bool]] = {
    "NotIpAddress": is_network,
    "NumericNotEquals": is_number,
    "DateNotEquals": is_date,
    "ArnNotEquals": is_arn,
    "ArnNotLike": is_arn,
}


def typed_variable(case: Case) -> None:
    for _, statement, operator, key, values in list(condition_tests(case)):
        if not base(operator).startswith(("String", "Arn")) and any("${" in value for value in values):
            drop_test(statement, operator, key)
            if statement["Effect"] == "Allow":
                _never(statement)


def number_prefix(case: Case) -> None:
    have = context(case)
    for _, statement, operator, key, _ in list(condition_tests(case)):
        value = have.get(key.lower())
        if base(operator).startswith("Numeric") and isinstance(value, str) and not is_number(value):
            drop_test(statement, operator, key)
            if "Not" not in operator or statement["Effect"] == "Allow":
                _never(statement)


def federated(case: Case) -> None:
    principal = case["request"]["principal"]
    if "-provider/" not in principal and (principal.startswith("arn:") or ".amazonaws." in principal):
        return
    case.pop("identity", None)
    for _, _, ids in _named(case):
        ids[:] = [NOBODY if ACCOUNT.fullmatch(text) else text for text in ids]


def service_in_china(case: Case) -> None:
    if case["request"]["principal"].endswith(".amazonaws.com.cn"):
        case.pop("identity", None)


def federated_user(case: Case) -> None:
    caller = case["request"]["principal"]
    if ":federated-user/" in caller:
        user = caller.replace(":sts:", ":iam:").replace(":federated-user/", ":user/")
        for _, _, ids in _named(case):
            ids[:] = [NOBODY if text == user else text for text in ids]


def partition(case: Case) -> None:
    request = case["request"]
    if not request["principal"].startswith("arn:"):
        return
    _, home, _, _, account, _ = request["principal"].split(":", 5)
    elsewhere = request["resource"] != "*" and request["resource"].split(":")[1] != home
    if elsewhere and account == request["resource_account"]:
        request["resource_account"] = "000000000000"
    for _, _, ids in _named(case):
        for at, text in enumerate(ids):
            # An account id alone means the account in the partition of the resource.
            if ACCOUNT.fullmatch(text) and (text.split(":")[1] != home if ":" in text else elsewhere):
                ids[at] = NOBODY


def root(case: Case) -> None:
    request = case["request"]
    if re.fullmatch(r"arn:[^:]*:iam::\d{12}:root", request["principal"]):
        case.pop("identity", None)


def half_spared(case: Case) -> None:
    """A NotPrincipal without the caller's account, role or session does not exclude the caller: remove all of them."""
    caller = case["request"]["principal"]
    if not caller.startswith("arn:") or "-provider/" in caller:
        return
    _, partition, _, _, account, rest = caller.split(":", 5)
    needed = [{f"arn:{partition}:iam::{account}:root", account}]
    if rest != "root":
        needed.append({caller})
    if rest.startswith("assumed-role/"):
        needed.append({f"arn:{partition}:iam::{account}:role/{rest.split('/')[1]}"})
    for _, statement in statements(case):
        ids = statement.get("NotPrincipal", {}).get("AWS", [])
        listed = {re.sub(":role/.*/", ":role/", text) for text in ids} - {"*"}
        if listed and "*" not in ids and not all(names & listed for names in needed):
            statement["NotPrincipal"]["AWS"] = [NOBODY]


def session_grant(case: Case) -> None:
    """A session policy without a matching Allow does not restrict what the role or queue allows for this session."""
    request = case["request"]
    same = request["principal"].split(":")[4:5] == [request["resource_account"]]
    for _, statement in statements({side: case[side] for side in ("trust", "resource") if side in case}):
        if same and {"*", request["principal"]} & {*statement.get("Principal", {}).get("AWS", [])}:
            case.pop("session", None)


def unique_id(case: Case) -> None:
    caller, userid = case["request"]["principal"], context(case).get("aws:userid", "")
    name = principal_arn(caller)
    for _, _, ids in _named(case):
        if isinstance(userid, str) and kind_of(caller) in ("user", "session"):
            ids[:] = [name if text == userid.partition(":")[0] else text for text in ids]


def role_name_case(case: Case) -> None:
    principal = case["request"]["principal"]
    if ":assumed-role/" not in principal:
        return
    name = principal.split("/")[1]
    for _, _, ids in _named(case):
        for at, text in enumerate(ids):
            last = text.rsplit("/", 1)[-1]
            if ":role/" in text and last != name and last.lower() == name.lower():
                ids[at] = NOBODY
