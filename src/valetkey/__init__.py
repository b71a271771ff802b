"""valetkey: let an outside party into an AWS account through one role, and take the access back.

  import valetkey

  valetkey.session("acme").client("s3")  # a boto3 session of a customer's role
  valetkey.decide(request, trust=policy)  # does AWS allow this request?
  valetkey.prove(policy, within=reference, resource=role_arn)  # does it admit no caller outside the reference?
  valetkey.who(policy, resource=role_arn)  # which callers does it admit?
  valetkey.audit.audit(account, scope=scope, now=now)  # audit an account against the checks

INVARIANT: importing this package imports no module that a bare interpreter has not imported already:
`credential-process` starts here before every AWS call. Therefore this file has `hot_file` and `hot_head`, which
`valetkey.__main__` and the rooms below it share.
"""

import os

__version__ = "0.1.0"

INSIDE = "VALETKEY_INSIDE"
"""Environment variable for a child process that may be valetkey: names the profile whose base identity it resolves."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from valetkey import audit
    from valetkey.library import session
    from valetkey.policy import decide
    from valetkey.prover import prove, who

__all__ = ["__version__", "audit", "decide", "prove", "session", "who"]

# Loaded on first use (PEP 562). `audit` is a room that contains a function of the same name.
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


_FORMAT = "valetkey-hot/1"
# Never part of the head: AWS_PROFILE may name the requested profile itself.
_NOT_READ = frozenset({"AWS_PROFILE", "AWS_DEFAULT_PROFILE"})
_READ = frozenset({"HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"})
# Secrets are not written to the file (including AWS_VAULT_FILE_PASSPHRASE); those of a base identity follow from its
# key id.
_SECRET = ("SECRET", "TOKEN", "PASS")


def hot_file(name: str) -> str:
    """Return the path of a profile's stored response. Raises OSError, KeyError or ValueError when there can be none."""
    plain = name.replace(".", "").replace("_", "").replace("-", "").replace("+", "").replace("@", "")
    if not (name.isascii() and name[:1].isalnum() and len(name) < 65 and (plain.isalnum() or not plain)):
        raise ValueError(name)
    return f"{_xdg('XDG_CACHE_HOME', '.cache')}/valetkey/hot/{name}"


def hot_head(name: str) -> bytes:
    """Return what a stored response depends on: version, environment variables, and the state of its source files."""
    env = os.environ
    variables = sorted((key, env[key]) for key in env if _is_read(key))
    stamps = [
        _stamp(f"{_xdg('XDG_CONFIG_HOME', '.config')}/valetkey/profiles/{name}.json"),
        _stamp(env.get("AWS_CONFIG_FILE") or "~/.aws/config"),
        _stamp(env.get("AWS_SHARED_CREDENTIALS_FILE") or "~/.aws/credentials"),
    ]
    return f"{_FORMAT} {__version__}\n{variables!a}\n{stamps!a}\n".encode("ascii")


def _is_read(key: str) -> bool:
    if not key.startswith("AWS_"):
        return key in _READ
    is_secret = any(word in key for word in _SECRET) and not key.endswith("_FILE")
    return key not in _NOT_READ and not is_secret


def _xdg(variable: str, default: str) -> str:
    given = os.environ.get(variable, "")
    return given if given.startswith("/") else f"{os.environ['HOME']}/{default}"


def _stamp(path: str) -> tuple[int, ...]:
    if "$" in path:
        raise ValueError("botocore expands variables in here, and this does not")
    try:
        status = os.stat(os.path.expanduser(path))
    except FileNotFoundError:
        return ()
    return (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino, status.st_dev)
