"""Ways in that AWS documents nowhere, or against."""

from __future__ import annotations

from tools.live.steps import Json, Outcome, step
from tools.live.world import SETTLE, World, attempt

from valetkey.trust import write_trust


@step("name-people-session", "U1", "W6")
def name_people_session(world: World) -> Outcome:
    """--name-people through an MFA session."""
    session = world.mfa_session()
    control = world.enter(world.guarded(), session)
    world.make_role("named-session", write_trust(world.terms(mfa=True, name_people=True)))
    world.time.sleep(SETTLE)
    # A role that is new may still be refused for that: half a minute of refusals is the trust's.
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
    found: dict[str, Json] = {}
    for label, trust in (("extras-strict", strict), ("extras", write_trust(terms))):
        world.make_role(label, trust)
        world.time.sleep(SETTLE)
        done = world.with_code(
            lambda serial, code, label=label: world.enter(label, SerialNumber=serial, TokenCode=code, **more),  # type: ignore[misc]
            tries=2,
        )
        found[label.replace("-", "_")] = done.data()
    return found


@step("scoped-credentials", "U9")
def scoped(world: World) -> Outcome:
    """GetScopedCredentials: what it needs, whether it renews the time of issue and keeps MFA."""
    from tools.live.steps import Skipped

    sts = world.mfa_session().client("sts")
    if not hasattr(sts, "get_scoped_credentials"):
        import botocore

        raise Skipped(f"not in this SDK (botocore {botocore.__version__})")
    role = world.guarded()
    done = attempt(lambda: sts.get_scoped_credentials(DurationSeconds=900))
    if not done.ok:
        return {"of_the_mfa_session": done.data()}
    session = world.role_session(done)
    world.redactor.secret(session.get_credentials().secret_key, session.get_credentials().token)
    return {"of_the_mfa_session": done.data(), "enters_a_role_that_asks_for_mfa": world.enter(role, session).data()}
