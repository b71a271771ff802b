"""Who acted in a session, and whether with MFA: from every place that says something of it, the surest first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from valetkey.activity.sessions import Group

Mfa = Literal["yes", "no", "required", "not shown"]


@dataclass(frozen=True, kw_only=True)
class Who:
    """What a trail says of the person behind a session. Empty text: nothing."""

    source_identity: str = ""
    """Set at the entry, kept through chains, cannot be changed afterwards."""
    caller: str = ""
    """ARN of the user or role that assumed the role, from the caller's own trail, or from the role's account when both
    are one."""
    caller_id: str = ""
    """The unique id of the same (`AIDA...`, `AROA...:session`): all that the role's account sees of an outsider."""
    caller_account: str = ""
    on_behalf_of: str = ""
    """User of IAM Identity Center."""
    session_name: str = ""
    """Chosen by the caller, unless the trust policy binds it."""
    device: str = ""
    """Serial number of the MFA device whose code came with AssumeRole."""

    @property
    def person(self) -> str:
        """The surest name."""
        return (
            self.source_identity
            or self.caller.rpartition("/")[2]
            or self.on_behalf_of
            or self.session_name
            or self.caller_id
            or "unknown"
        )

    @property
    def by(self) -> str:
        """Where `person` comes from."""
        if self.source_identity:
            return "source identity"
        if self.caller:
            return "the caller's trail"
        if self.on_behalf_of:
            return "IAM Identity Center"
        return "session name" if self.session_name else "unique id" if self.caller_id else "nothing"


def who(group: Group) -> Who:
    """The person behind a session; a session that another one made has what that one knows."""
    parents = group.lineage
    root = parents[-1]
    # The other account's trail names the user; the role's own does so only inside one account.
    entries = root.other_side + [each for each in root.entries if each.caller_type != "AWSAccount"]
    made = root.made_by
    return Who(
        source_identity=_first(
            *(act.source_identity for one in parents for act in one.acts),
            *(each.note.removeprefix("source identity ") for each in made if each.note.startswith("source identity ")),
        ),
        caller=_first(*(each.caller for each in entries)),
        caller_id=_first(*(each.principal for each in made)),
        caller_account=_first(*(each.caller_account for each in made), *(each.delegate for each in group.acts)),
        on_behalf_of=_first(*(act.on_behalf_of for one in parents for act in one.acts)),
        session_name=group.principal.partition(":")[2],
        device=_first(*(each.device for each in made)),
    )


def mfa(group: Group, *, required: bool = False) -> Mfa:
    """Whether MFA is shown. "no" only where the caller's own trail, which would have it, does not have it; "required"
    where nothing shows it and the trust policy lets nobody in without, as far as is known (`required`).

    The role's account sees a code that comes with AssumeRole (`serialNumber`); it does not see the MFA of a session
    that the caller made before (GetSessionToken). AWS refuses an AssumeRole whose code is wrong.
    """
    parents = group.lineage
    entries = [entry for each in parents for entry in each.made_by]
    if any(act.mfa for each in parents for act in each.acts) or any(each.mfa or each.device for each in entries):
        return "yes"
    root = parents[-1]
    # Who calls with a user's or a role's own credentials is seen by the account of the caller.
    told = root.other_side + [each for each in root.entries if each.caller_type in ("IAMUser", "AssumedRole", "Root")]
    if told:
        return "no"
    return "required" if required else "not shown"


def _first(*texts: str) -> str:
    return next((each for each in texts if each), "")
