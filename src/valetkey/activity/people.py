"""Who acted in a session, and whether with MFA: from every available source, the most reliable first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from valetkey.activity.sessions import Group

Mfa = Literal["yes", "no", "required", "not shown"]


@dataclass(frozen=True, kw_only=True)
class TrailPerson:
    """What a trail records about the person behind a session. Empty text: nothing."""

    source_identity: str = ""
    """Set at the entry, kept through role chains, cannot be changed afterwards."""
    caller: str = ""
    """ARN of the user or role that assumed the role, from the caller's own trail, or from the role's account if both
    are the same."""
    caller_id: str = ""
    """Unique id of the caller (`AIDA...`, `AROA...:session`): all that the role's account sees of an outsider."""
    caller_account: str = ""
    on_behalf_of: str = ""
    """User of IAM Identity Center."""
    session_name: str = ""
    """Chosen by the caller, unless the trust policy restricts it."""
    device: str = ""
    """Serial number of the MFA device whose code was sent with AssumeRole."""

    @property
    def person(self) -> str:
        """The most reliable name."""
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
        """The source of `person`."""
        if self.source_identity:
            return "source identity"
        if self.caller:
            return "the caller's trail"
        if self.on_behalf_of:
            return "IAM Identity Center"
        return "session name" if self.session_name else "unique id" if self.caller_id else "nothing"


def who(group: Group) -> TrailPerson:
    """Return the person behind a session. A session made by another one inherits what is known of that one."""
    parents = group.lineage
    root = parents[-1]
    # The caller's trail names the user; the role's trail does so only inside one account.
    entries = root.other_side + [event for event in root.entries if event.caller_type != "AWSAccount"]
    made = root.made_by
    return TrailPerson(
        source_identity=_first(
            *(act.source_identity for parent in parents for act in parent.acts),
            *(
                event.note.removeprefix("source identity ")
                for event in made
                if event.note.startswith("source identity ")
            ),
        ),
        caller=_first(*(event.caller for event in entries)),
        caller_id=_first(*(event.principal for event in made)),
        caller_account=_first(*(event.caller_account for event in made), *(event.delegate for event in group.acts)),
        on_behalf_of=_first(*(act.on_behalf_of for parent in parents for act in parent.acts)),
        session_name=group.principal.partition(":")[2],
        device=_first(*(event.device for event in made)),
    )


def mfa(group: Group, *, required: bool = False) -> Mfa:
    """Return whether MFA is shown. "no" only if the caller's own trail, which would show it, does not. "required" if
    nothing shows it and the trust policy is known to require it (`required`).

    The role's account sees a code that is sent with AssumeRole (`serialNumber`). It does not see the MFA of a session
    that the caller made before (GetSessionToken). AWS refuses an AssumeRole whose code is wrong.
    """
    parents = group.lineage
    entries = [entry for parent in parents for entry in parent.made_by]
    if any(act.mfa for parent in parents for act in parent.acts) or any(event.mfa or event.device for event in entries):
        return "yes"
    root = parents[-1]
    # The caller's account sees calls with a user's or a role's own credentials.
    observed = root.other_side + [
        event for event in root.entries if event.caller_type in ("IAMUser", "AssumedRole", "Root")
    ]
    if observed:
        return "no"
    return "required" if required else "not shown"


def _first(*texts: str) -> str:
    return next((text for text in texts if text), "")
