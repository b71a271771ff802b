"""The policies of a grant: from the words on the command line to policy ARNs and documents.

Rules:
- An ARN is used unchanged. A word that ends in .json, or contains a `/` that is not a path of AWS's managed policies,
  is a file with a policy document. Every other word is the name of a managed policy.
- A name is looked up among AWS's managed policies of the caller's partition and among the account's own. A name that is
  both is refused, because the two differ in what they allow.
- Every document is read, so that the permissions can be shown before anything is created.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from valetkey.account.calls import Call, CallError, Perform, everything
from valetkey.catalog.managed_policies import DEFAULT_POLICIES
from valetkey.errors import PolicyError, ValetkeyError
from valetkey.grants.role import Owner
from valetkey.policy.arns import Arn, parse_arn

# Paths of AWS managed policies for roles; the empty path first, because most are there.
_PATHS = ("", "job-function/", "service-role/")
_KNOWN = ("job-function", "service-role", "root-task")


class ChosenPolicyError(ValetkeyError):
    """A policy that cannot be found, read or attached."""


@dataclass(frozen=True)
class Managed:
    """A managed policy and the document of its default version."""

    arn: str
    document: Mapping[str, Any]
    version: str = ""
    """For example "v12"."""

    @property
    def name(self) -> str:
        """The name without the path."""
        return self.arn.rsplit("/", 1)[-1]


def from_files(words: Sequence[str], *, read: Callable[[str], str]) -> tuple[tuple[str, Mapping[str, Any]], ...]:
    """Return the policy documents of the words that are files, by inline policy name. `read` returns a file's text.

    Needs no call. Raises ChosenPolicyError, PolicyError (with the file's name), or what `read` raises.
    """
    inline: dict[str, Mapping[str, Any]] = {}
    for word in filter(is_file, words):
        name = inline_name(word)
        if name in inline:
            raise ChosenPolicyError(f"two policy files would both be named {name}", do="rename one of them")
        inline[name] = _from_file(word, read(word))
    return tuple(inline.items())


def check_words(words: Sequence[str]) -> None:
    """Raise ChosenPolicyError for a word that is not an ARN, a file or a policy name. Needs no call."""
    for word in words:
        if word.startswith("arn:"):
            managed_arn(word)
        elif not is_file(word) and not re.fullmatch(r"[\w+=,.@-]{1,128}", word.rsplit("/", 1)[-1], re.ASCII):
            raise ChosenPolicyError(
                f"{word!r} is not the name of a policy", do="give a name, an ARN, or a file (./policy.json)"
            )


def find_managed(words: Sequence[str], perform: Perform, owner: Owner) -> tuple[Managed, ...]:
    """Return the managed policies that words give by name or ARN; without words: DEFAULT_POLICIES. Raises
    ChosenPolicyError, CallError."""
    names = _Names(perform, owner)
    arns = [word if word.startswith("arn:") else names.arn(word) for word in words if not is_file(word)]
    if not words:
        arns = [f"arn:{owner.partition}:iam::aws:policy/{path}" for path in DEFAULT_POLICIES]
    return tuple(managed_policy(perform, owner, arn) for arn in dict.fromkeys(arns))


def is_file(word: str) -> bool:
    """Return whether a --policy word is a file."""
    if word.startswith("arn:"):
        return False
    return word.endswith(".json") or ("/" in word and word.split("/")[0] not in _KNOWN)


def managed_policy(perform: Perform, owner: Owner, arn: str) -> Managed:
    """Return a managed policy with its document. Raises ChosenPolicyError if a role of this account cannot have it, or
    CallError."""
    parsed = managed_arn(arn)
    if parsed.account not in ("aws", owner.account) or parsed.partition != owner.partition:
        raise ChosenPolicyError(
            f"{arn} is not a managed policy that a role of account {owner.account} can have attached",
            do=f"name one of AWS's (arn:{owner.partition}:iam::aws:policy/…) or of the account itself",
        )
    result = _get(perform, arn)
    if result is None:
        raise ChosenPolicyError(f"there is no managed policy {arn}", do="check the ARN, path included")
    if not result.get("IsAttachable", True):
        raise ChosenPolicyError(f"AWS no longer allows {arn} to be attached", do="name its successor")
    version = perform(Call("iam", "get_policy_version", {"PolicyArn": arn, "VersionId": result["DefaultVersionId"]}))
    return Managed(arn, version["PolicyVersion"]["Document"], result["DefaultVersionId"])


def versions_of(managed: Iterable[Managed]) -> tuple[tuple[str, str], ...]:
    """Return the present versions of AWS's own policies. The account's policies are left out: the owner changes
    them."""
    return tuple(
        (policy.arn, policy.version) for policy in managed if policy.version and policy.arn.split(":")[4] == "aws"
    )


def current_versions(perform: Perform, arns: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Return the present version of each AWS policy in `arns`. Raises CallError for one that the caller may not read:
    its version at the time of the grant would never be known."""
    return tuple(
        (arn, perform(Call("iam", "get_policy", {"PolicyArn": arn}))["Policy"]["DefaultVersionId"])
        for arn in arns
        if arn.split(":")[4] == "aws"
    )


class _Names:
    """Looks up managed policies by name. The account's own are listed once, at the first name."""

    def __init__(self, perform: Perform, owner: Owner) -> None:
        self._perform = perform
        self._owner = owner
        self._own: dict[str, str] | None = None

    def arn(self, name: str) -> str:
        """Return the ARN of the managed policy of this name. Raises ChosenPolicyError, or CallError."""
        bare = name.rsplit("/", 1)[-1]
        if self._own is None:
            self._own = self._listed("Local")
        aws, own = self._of_aws(name), self._own.get(bare)
        if aws and own:
            raise ChosenPolicyError(
                f"{bare} is the name of an AWS policy and of a policy of this account", do=f"name {aws} or {own}"
            )
        if not aws and not own:
            aws = (everyone := self._listed("AWS")).get(bare)
            if not aws:
                near = difflib.get_close_matches(bare, [*everyone, *self._own], n=3)
                hint = f"did you mean {' or '.join(near)}? " if near else ""
                raise ChosenPolicyError(
                    f"there is no managed policy named {bare} in the partition {self._owner.partition} or the account",
                    do=f"{hint}Write a file name with .json or ./",
                )
        return str(aws or own)

    def _of_aws(self, name: str) -> str | None:
        root = f"arn:{self._owner.partition}:iam::aws:policy/"
        paths = ("",) if "/" in name else _PATHS
        return next((root + path + name for path in paths if _get(self._perform, root + path + name)), None)

    def _listed(self, scope: str) -> dict[str, str]:
        call = Call("iam", "list_policies", {"Scope": scope, "MaxItems": 1000})
        return {item["PolicyName"]: item["Arn"] for item in everything(self._perform, call, "Policies")}


def managed_arn(text: str) -> Arn:
    """Parse the ARN of a managed policy. Raises ChosenPolicyError."""
    do = "write it like arn:aws:iam::aws:policy/Name"
    try:
        arn = parse_arn(text)
    except PolicyError as error:
        raise ChosenPolicyError(error.what, do=do) from None
    if arn.service != "iam" or arn.kind != "policy":
        raise ChosenPolicyError(f"{text} is not the ARN of a managed policy", do=do)
    return arn


def _get(perform: Perform, arn: str) -> dict[str, Any] | None:
    try:
        result: dict[str, Any] = perform(Call("iam", "get_policy", {"PolicyArn": arn}))["Policy"]
    except CallError as error:
        if error.code == "NoSuchEntity":
            return None
        raise
    return result


def _from_file(name: str, text: str) -> Mapping[str, Any]:
    from valetkey.policy import parse_policy

    try:
        parse_policy(text, kind="identity")
    except PolicyError as error:
        raise PolicyError(error.what, do=error.do, where=f"{name}: {error.where or '$'}") from None
    document: Mapping[str, Any] = json.loads(text)
    return document


def inline_name(path: str) -> str:
    """Return "policy-" and the file's name without .json, in characters that a policy name and a tag both allow."""
    stem = path.rsplit("/", 1)[-1].removesuffix(".json")
    return "policy-" + (re.sub(r"[^A-Za-z0-9_.=+-]", "-", stem)[:64] or "file")
