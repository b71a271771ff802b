"""Ways to enter a role that AWS does not document, or documents as refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import botocore
from tools.live.steps import Json, Outcome, Skipped, step
from tools.live.world import CONFIG, ONCE, SETTLE, Attempt, World, allow, attempt

from valetkey.trust import write_trust

_APART = 3.0
"""Seconds between dates of issue, which are whole seconds."""


@step("name-people-session", "U1", "W6")
def name_people_session(world: World) -> Outcome:
    """--name-people through an MFA session."""
    session = world.mfa_session()
    control = world.enter(world.guarded(), session)
    world.make_role("named-session", write_trust(world.terms(mfa=True, name_people=True)))
    world.time.sleep(SETTLE)
    # A new role may be refused because it is new. Half a minute of refusals are due to the trust policy.
    seconds = world.until(lambda: world.enter("named-session", session).ok, limit=30.0)
    last = world.enter("named-session", session)
    other = world.enter("named-session", session, RoleSessionName="somebody-else")
    return {
        "role_without_the_rule": control.data(),
        "let_in": seconds is not None,
        "answer": last.data(),
        "another_name": other.data(),
    }


@step("name-people-direct", "U1", "H9")
def name_people_direct(world: World) -> Outcome:
    """--name-people with a code of its own."""
    world.make_role("named-direct", write_trust(world.terms(mfa=True, name_people=True)))
    world.time.sleep(SETTLE)
    done = world.with_code(
        lambda serial, code: world.enter("named-direct", SerialNumber=serial, TokenCode=code, DurationSeconds=7200)
    )
    return {"let_in": done.ok, "answer": done.data()}


@step("extras-one-code", "U7", "H10", "H35")
def extras(world: World) -> Outcome:
    """Source identity and session tags with one code, in a trust that asks for MFA in both statements."""
    terms = world.terms(mfa=True, source_identity=True, session_tags=True)
    strict = write_trust(terms)
    strict["Statement"][1]["Condition"] = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    more = {"SourceIdentity": world.person.name, "Tags": [{"Key": "ticket", "Value": "live"}]}
    result: dict[str, Json] = {}
    for label, trust in (("extras-strict", strict), ("extras", write_trust(terms))):
        world.make_role(label, trust)
        world.time.sleep(SETTLE)
        done = world.with_code(
            lambda serial, code, label=label: world.enter(label, SerialNumber=serial, TokenCode=code, **more),  # type: ignore[misc]
            tries=2,
        )
        result[label.replace("-", "_")] = done.data()
    return result


@step("scoped-credentials", "U9")
def scoped(world: World) -> Outcome:
    """GetScopedCredentials: what it needs, whether it keeps MFA and renews the time of issue."""
    kept_mfa: Json = None
    of_mfa = _scope(world, world.mfa_session())
    if of_mfa.ok:
        kept_mfa = world.enter(world.guarded(), world.role_session(of_mfa)).data()
    world.make_role("scoped", write_trust(world.terms()))
    world.must(lambda: world.enter("scoped").ok, "the role")
    session = world.role_session(world.enter("scoped"))
    world.must(lambda: _works(session).ok, "the role's policy")
    world.time.sleep(_APART)
    between = datetime.fromtimestamp(world.time.now(), UTC)
    world.time.sleep(_APART)
    of_role = _scope(world, session)
    result: dict[str, Json] = {
        "of_the_mfa_session": of_mfa.data(),
        "enters_a_role_that_asks_for_mfa": kept_mfa,
        "of_a_role_session": of_role.data(),
    }
    if not of_role.ok:
        return result
    # Sessions issued before `between` are denied everything: whether the scoped one works shows its date of issue.
    deny = json.loads(allow("*", effect="Deny"))
    deny["Statement"][0]["Condition"] = {"DateLessThan": {"aws:TokenIssueTime": f"{between:%Y-%m-%dT%H:%M:%SZ}"}}
    world.owner.client("iam").put_role_policy(
        RoleName=world.name("scoped"), PolicyName="deny", PolicyDocument=json.dumps(deny)
    )
    scoped_session = world.role_session(of_role)
    refused = world.until(lambda: not _works(session).ok)
    world.time.sleep(SETTLE)
    return {
        **result,
        "older_session_refused": refused is not None,
        "scoped_session_under_that_deny": _works(scoped_session).data(),
    }


def _scope(world: World, session: Any) -> Attempt:
    """Call GetScopedCredentials with these credentials. Raises Skipped if the SDK does not have it."""
    sts = session.client("sts", config=CONFIG)
    if not hasattr(sts, "get_scoped_credentials"):
        raise Skipped(f"not in this SDK (botocore {botocore.__version__})")
    done = attempt(lambda: sts.get_scoped_credentials(DurationSeconds=900))
    world.keep_secret(done)
    return done


def _works(session: Any) -> Attempt:
    return attempt(session.client("iam", config=ONCE).list_account_aliases)
