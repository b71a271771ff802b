"""valetkey: let an outside party into an AWS account through one role, and take the access back.

import valetkey

valetkey.session("acme").client("s3")  # a boto3 session of a customer's role
valetkey.decide(request, trust=policy)  # would AWS allow this request?
valetkey.prove(policy, within=reference, resource=role_arn)  # does it let in nobody else?
valetkey.who(policy, resource=role_arn)  # who gets in?
valetkey.audit.audit(account, scope=scope, now=now)  # an account against the checks

INVARIANT: importing this package imports nothing else: `credential-process` begins here before every AWS call.
"""

__version__ = "0.1.0"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from valetkey import audit
    from valetkey.library import session
    from valetkey.policy import decide
    from valetkey.prover import prove, who

__all__ = ["__version__", "audit", "decide", "prove", "session", "who"]

# Loaded when used (PEP 562). `audit` is a room, whose function has the same name.
_HOMES = {
    "decide": "valetkey.policy",
    "prove": "valetkey.prover",
    "session": "valetkey.library",
    "who": "valetkey.prover",
}


def __getattr__(name: str) -> object:
    if name != "audit" and name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    if name == "audit":
        return import_module("valetkey.audit")
    value = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return value
