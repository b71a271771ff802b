"""Callers under all their names, and which of them a Principal or NotPrincipal element reaches, and how."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from valetkey.errors import PolicyError
from valetkey.policy import Request, parse_policy
from valetkey.policy.principal_tests import compile_principals
from valetkey.policy.principals import (
    NamedBy,
    PrincipalKind,
    Principals,
    id_prefix,
    is_unique_id,
    is_unsigned,
    read_aws,
    read_caller,
    why_unread,
)
from valetkey.policy.role_actions import enters_roles, refused_by_sts
from valetkey.policy.statements import POLICY_KINDS, grammar
from valetkey.policy.undecided import NotDecided

A, OTHER = "111122223333", "444455556666"
IAM, STS, ROOT = f"arn:aws:iam::{A}", f"arn:aws:sts::{A}", f"arn:aws:iam::{A}:root"
D, R, C, N = NamedBy.DIRECT, NamedBy.ROLE, NamedBy.ACCOUNT, NamedBy.NONE
WHOLE = ((ROOT, C), (A, C))
ACCOUNT = (ROOT, A)
CANONICAL = "a" * 64
WHATEVER = "whatever the policies say"


@pytest.mark.parametrize(
    ("text", "kind", "account", "names", "groups"),
    [
        (f"{IAM}:user/t/bob", "user", A, ((f"{IAM}:user/t/bob", D), *WHOLE), ((f"{IAM}:user/t/bob",), ACCOUNT)),
        (f"{IAM}:role/t/w", "role", A, ((f"{IAM}:role/w", R), *WHOLE), ((f"{IAM}:role/w",), ACCOUNT)),
        (
            f"{STS}:assumed-role/w/s",
            "session",
            A,
            ((f"{STS}:assumed-role/w/s", D), (f"{IAM}:role/w", R), *WHOLE),
            ((f"{STS}:assumed-role/w/s",), (f"{IAM}:role/w",), ACCOUNT),
        ),
        (
            f"{STS}:federated-user/ann",
            "federated user",
            A,
            ((f"{STS}:federated-user/ann", D), *WHOLE),
            ((f"{STS}:federated-user/ann",), ACCOUNT),
        ),
        (ROOT, "root", A, ((ROOT, D), (A, D)), (ACCOUNT,)),
        (
            f"{IAM}:saml-provider/x",
            "provider",
            A,
            ((f"federated:{IAM}:saml-provider/x", D),),
            ((f"federated:{IAM}:saml-provider/x",),),
        ),
        (
            f"{IAM}:oidc-provider/a.com/",
            "provider",
            A,
            ((f"federated:{IAM}:oidc-provider/a.com/", D),),
            ((f"federated:{IAM}:oidc-provider/a.com/",),),
        ),
        (
            "a.com:8080/x/y",
            "provider",
            None,
            (("federated:a.com:8080/x/y", D), ("federated-host:a.com:8080/x/y", D)),
            (("federated:a.com:8080/x/y", "federated-host:a.com:8080/x/y"),),
        ),
        (
            "www.amazon.com",
            "provider",
            None,
            (("federated:www.amazon.com", D), ("federated-host:www.amazon.com", D)),
            (("federated:www.amazon.com", "federated-host:www.amazon.com"),),
        ),
        ("ec2.amazonaws.com", "service", None, (("service:ec2.amazonaws.com", D),), (("service:ec2.amazonaws.com",),)),
        ("x.amazonaws.eu", "service", None, (("service:x.amazonaws.eu", D),), (("service:x.amazonaws.eu",),)),
        (CANONICAL, "canonical user", None, ((f"canonical:{CANONICAL}", C),), ((f"canonical:{CANONICAL}",),)),
        ("anonymous", "anonymous", None, (), ((),)),
    ],
)  # fmt: skip
def test_the_names_of_a_caller(text: str, kind: str, account: str | None, names: Any, groups: Any) -> None:
    caller = read_caller(text)
    assert (caller.text, caller.kind, caller.account) == (text, kind, account)
    assert caller.partition == ("aws" if account else None)
    assert caller.names == names
    assert caller.groups == groups
    assert caller.unsigned is (kind in ("service", "provider", "anonymous"))
    assert read_caller(text) is caller  # read once


def test_a_host_may_have_255_characters() -> None:
    assert read_caller("a.com/" + "x" * 249).kind == "provider"
    with pytest.raises(PolicyError) as refusal:
        read_caller("a.com/" + "x" * 250)
    assert refusal.value.what == f"'a.com/{'x' * 53}… (258 characters) is not a caller"


SERVICE = "name one user, role, session or provider by its ARN, or a service like ec2.amazonaws.com"
PRINCIPAL = "name a user, role, assumed-role, federated-user, root or identity provider"


@pytest.mark.parametrize(
    ("text", "do"),
    [
        ("", SERVICE),
        ("*", SERVICE),
        ("ec2", SERVICE),
        ("a.com:x", SERVICE),
        ("a.com?", SERVICE),
        ("a" * 63, SERVICE),
        ("A" * 64, SERVICE),
        (f"{IAM}:user/", PRINCIPAL),
        (f"{IAM}:role/", PRINCIPAL),
        (f"{IAM}:root/x", PRINCIPAL),
        (f"{IAM}:group/x", PRINCIPAL),
        (f"{IAM}:saml-provider/", PRINCIPAL),
        (f"{IAM}:oidc-provider/", PRINCIPAL),
        (f"{STS}:root", PRINCIPAL),
        (f"{STS}:assumed-role/w", PRINCIPAL),
        (f"{STS}:assumed-role//s", PRINCIPAL),
        (f"{STS}:assumed-role/w/", PRINCIPAL),
        (f"{STS}:assumed-role/w/s/x", PRINCIPAL),
        (f"{STS}:federated-user/", PRINCIPAL),
    ],
)
def test_what_is_not_a_caller(text: str, do: str) -> None:
    with pytest.raises(PolicyError) as refusal:
        read_caller(text)
    assert refusal.value.what.endswith(" is not a caller")
    assert (refusal.value.do, refusal.value.where) == (do, "principal")


def test_a_caller_by_arn_has_an_account() -> None:
    with pytest.raises(PolicyError) as refusal:
        read_caller("arn:aws:s3:::bucket")
    error = refusal.value
    assert (error.what, error.do, error.where) == (
        "'arn:aws:s3:::bucket' has no account",
        "name the caller by its full ARN",
        "principal",
    )


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (A, A),
        (A + "1", None),
        ("AIDA" + "A" * 12, "AIDA" + "A" * 12),
        ("AIDA" + "A" * 11, None),
        ("AROA" + "A" * 124, "AROA" + "A" * 124),
        ("AROA" + "A" * 125, None),
        ("AIPA" + "A" * 12, None),
        (ROOT, ROOT),
        (f"{IAM}:user/a/b", f"{IAM}:user/a/b"),
        (f"{IAM}:role/a/b", f"{IAM}:role/b"),
        (f"{STS}:assumed-role/w/s", f"{STS}:assumed-role/w/s"),
        (f"{STS}:federated-user/ab", f"{STS}:federated-user/ab"),
        (f"{STS}:federated-user/a", None),  # GetFederationToken: 2 characters at least
        (f"{STS}:root", None),
        (f"arn:aws-x:iam::{A}:root", None),
        (f"arn:aws:iam:eu:{A}:root", None),
        (f"arn:aws:iam::{A[:-1]}:root", None),
        (f"arn:aws:s3::{A}:root", None),
        (f"x:aws:iam::{A}:root", None),
        (f"a:aws:iam::{A}:root", None),
        (IAM, None),
        (f"{IAM}:user/*", None),
        (f"{IAM}:user/b?", None),
        ("*", None),
        ("", None),
        ("arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1",) * 2,
        ("arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity ", None),
    ],
)
def test_an_entry_under_aws(text: str, name: str | None) -> None:
    assert read_aws(text) == name
    assert is_unique_id(text) is (name is not None and name[:4] in ("AIDA", "AROA"))


def test_why_an_entry_is_refused() -> None:
    assert why_unread("AWS", "bob") == "is not an AWS principal"
    assert why_unread("Service", "AIPA" + "A" * 12) == "is not a Service principal"
    assert why_unread("AWS", "AIPA" + "A" * 12) == "is a unique id, but not of a user (AIDA...) or role (AROA...)"


@pytest.mark.parametrize("kind", get_args(PrincipalKind))
def test_what_each_kind_of_caller_is(kind: PrincipalKind) -> None:
    assert is_unsigned(kind) is (kind in ("service", "provider", "anonymous"))
    assert id_prefix(kind) == {"user": "AIDA", "role": "AROA", "session": "AROA"}.get(kind)
    assert enters_roles(kind) is (kind in ("user", "role", "session", "service", "provider"))
    said = {
        "root": f"STS refuses AssumeRole by the root user, {WHATEVER}",
        "federated user": f"STS refuses AssumeRole with the credentials of GetFederationToken, {WHATEVER}",
    }
    assert refused_by_sts(kind, ("sts:tagsession", "sts:assumerole")) == said.get(kind, "")
    assert refused_by_sts(kind, ("sts:tagsession",)) == ""


def test_a_kind_that_is_none_is_not_decided() -> None:
    odd: Any = "robot"
    for ask in (is_unsigned, id_prefix, enters_roles, grammar, lambda kind: refused_by_sts(kind, ("sts:assumerole",))):
        with pytest.raises(NotDecided, match="valetkey does not know 'robot'"):
            ask(odd)
    for kind in POLICY_KINDS:
        assert grammar(kind).principal == {"trust": "some", "resource": "some", "rcp": "everyone"}.get(kind, "none")


USER, SESSION, ANN = f"{IAM}:user/bob", f"{STS}:assumed-role/w/s", f"{STS}:federated-user/ann"
SAML, HOST = f"{IAM}:saml-provider/x", "token.a.com"
OIDC = f"{IAM}:oidc-provider/{HOST}"
CALLERS = (USER, f"{IAM}:role/w", SESSION, ANN, ROOT, SAML, OIDC, HOST, "ec2.amazonaws.com", CANONICAL, "anonymous")
ELEMENTS: list[tuple[Any, dict[str, NamedBy]]] = [
    ("*", dict.fromkeys(CALLERS, D)),
    ({"AWS": "*"}, dict.fromkeys(CALLERS, D)),
    ({}, {}),
    ({"AWS": A}, dict.fromkeys((USER, f"{IAM}:role/w", SESSION, ANN), C) | {ROOT: D}),
    ({"AWS": ROOT}, dict.fromkeys((USER, f"{IAM}:role/w", SESSION, ANN), C) | {ROOT: D}),
    ({"AWS": [OTHER, USER]}, {USER: D}),
    ({"AWS": [ROOT, USER]}, dict.fromkeys((f"{IAM}:role/w", SESSION, ANN), C) | {ROOT: D, USER: D}),
    ({"AWS": f"{IAM}:role/path/w"}, dict.fromkeys((f"{IAM}:role/w", SESSION), R)),
    ({"AWS": [f"{IAM}:role/w", SESSION]}, {f"{IAM}:role/w": R, SESSION: D}),
    ({"AWS": ANN}, {ANN: D}),
    ({"Federated": SAML}, {SAML: D}),
    ({"Federated": OIDC}, {OIDC: D, HOST: D}),
    ({"Federated": HOST}, {HOST: D}),
    ({"Service": "ec2.amazonaws.com"}, {"ec2.amazonaws.com": D}),
    ({"CanonicalUser": CANONICAL}, {CANONICAL: C}),
    ({"AWS": OTHER, "Service": "a.com", "Federated": "b.com", "CanonicalUser": "c"}, {}),
]  # fmt: skip


def principals(element: Any) -> Principals:
    statement = {"Effect": "Deny", "Principal": element, "Action": "*"}
    result = parse_policy({"Statement": statement}, kind="resource").statements[0].principals
    assert result is not None
    return result


@pytest.mark.parametrize(
    ("element", "reached"), ELEMENTS, ids=lambda value: str(value)[:60] if isinstance(value, dict | str) else ""
)
def test_whom_a_principal_reaches(element: Any, reached: dict[str, NamedBy]) -> None:
    for unsure in (False, True):
        test = compile_principals(principals(element), negated=False, deny=False, unsure=unsure)
        result = {caller: test(Request(caller, "a:b"), False) for caller in CALLERS}
        assert result == dict.fromkeys(CALLERS, N) | reached


@pytest.mark.parametrize(
    ("element", "spared", "untouched"),
    [
        # A Deny spares whose every name is listed; an Allow reaches of whom nothing is listed.
        ({"AWS": A}, {ROOT}, {SAML, OIDC, HOST, "ec2.amazonaws.com", CANONICAL, "anonymous"}),
        ({"AWS": USER}, set(), {*CALLERS} - {USER}),
        ({"AWS": [USER, ROOT]}, {USER, ROOT}, {SAML, OIDC, HOST, "ec2.amazonaws.com", CANONICAL, "anonymous"}),
        (
            {"AWS": [f"{IAM}:role/w", A]},
            {f"{IAM}:role/w", ROOT},
            {SAML, OIDC, HOST, "ec2.amazonaws.com", CANONICAL, "anonymous"},
        ),
        (
            {"AWS": [f"{IAM}:role/w", SESSION, A]},
            {f"{IAM}:role/w", SESSION, ROOT},
            {SAML, OIDC, HOST, "ec2.amazonaws.com", CANONICAL, "anonymous"},
        ),
        ({"Federated": OIDC}, {OIDC, HOST}, {*CALLERS} - {OIDC, HOST}),
        ({"Service": "ec2.amazonaws.com"}, {"ec2.amazonaws.com"}, {*CALLERS} - {"ec2.amazonaws.com"}),
        ({"CanonicalUser": CANONICAL}, {CANONICAL}, {*CALLERS} - {CANONICAL}),
        ("*", {*CALLERS}, set()),
    ],
    ids=lambda value: str(value)[:60] if isinstance(value, dict | str) else "",
)
def test_whom_a_not_principal_spares(element: Any, spared: set[str], untouched: set[str]) -> None:
    named = principals(element)
    for bounded in (False, True):
        deny = compile_principals(named, negated=True, deny=True, unsure=True)
        left = {caller for caller in CALLERS if not deny(Request(caller, "a:b"), bounded)}
        # Never one with a boundary (reference_policies_elements_notprincipal).
        assert left == (spared if not bounded or element == "*" else set())
        allow = compile_principals(named, negated=True, deny=False, unsure=False)
        assert {caller for caller in CALLERS if allow(Request(caller, "a:b"), bounded) is D} == untouched


def test_a_not_principal_that_names_nobody_is_unsure() -> None:
    for deny in (False, True):
        for unsure in (False, True):
            test = compile_principals(Principals(), negated=True, deny=deny, unsure=unsure)
            assert test(Request(USER, "a:b"), False) is (D if unsure else N)


GROUP, PERSON = "AROAIOSFODNN7EXAMPLE", "AIDAIOSFODNN7EXAMPLE"


@pytest.mark.parametrize(
    ("caller", "userid", "grant"),
    [
        (USER, PERSON, D),
        (USER, f"{PERSON}:x", N),
        (USER, None, N),
        (USER, [PERSON, "x"], N),
        (SESSION, f"{GROUP}:s", R),
        (SESSION, GROUP, R),
        (SESSION, f"x:{GROUP}", N),
        (f"{IAM}:role/w", f"{GROUP}:s", R),
        (ROOT, PERSON, N),
        (ANN, PERSON, N),
        ("ec2.amazonaws.com", PERSON, N),
        (HOST, f"{GROUP}:s", N),
        ("anonymous", PERSON, N),
        (CANONICAL, PERSON, N),
    ],
)
def test_a_unique_id_is_compared_with_the_user_id_of_the_request(caller: str, userid: Any, grant: NamedBy) -> None:
    test = compile_principals(Principals(aws=(PERSON, GROUP)), negated=False, deny=False, unsure=False)
    request = Request(caller, "a:b", context={} if userid is None else {"aws:userid": userid})
    assert test(request, False) is grant
    # Named in two ways: the more direct one counts.
    both = compile_principals(Principals(aws=(PERSON, GROUP, A)), negated=False, deny=False, unsure=False)
    own = compile_principals(Principals(aws=(A,)), negated=False, deny=False, unsure=False)
    assert both(request, False) is max(grant, own(request, False))


def test_an_element_that_names_somebody_is_not_empty() -> None:
    assert Principals().empty
    named: list[dict[str, Any]] = [
        {"everyone": True},
        {"aws": ("a",)},
        {"services": ("a",)},
        {"federated": ("a",)},
        {"canonical": ("a",)},
        {"unread": ("a",)},
    ]
    assert not any(Principals(**name).empty for name in named)
