"""Selection of the records that a report needs, and the texts that a file must contain to hold any of them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from valetkey.activity.events import APPROVING, Event, Tie, event_of, is_entering, role_key, target_of
from valetkey.activity.records import TrailRecord

_PLAIN = re.compile(r"[A-Za-z0-9_.@-]+")
"""Characters that no JSON writer escapes. IAM allows + = , in names too; some writers escape the equals sign."""


@dataclass(frozen=True)
class Wanted:
    """Conditions for wanted records. Any one of them suffices."""

    roles: frozenset[tuple[str, str]] = frozenset()
    """Account and name of roles: the calls of their sessions, and the calls that assume them."""
    keys: frozenset[str] = frozenset()
    """Access key ids of sessions that a wanted session made in further roles."""
    sessions: frozenset[tuple[str, str]] = frozenset()
    """Principal id and creation time of these sessions, for consoles, which change keys at every request."""
    further: frozenset[str] = frozenset()
    """Names of the roles of these sessions."""
    outsiders: bool = False
    """Entries of callers from accounts that are not in `own`."""
    own: frozenset[str] = frozenset()
    delegates: bool = False
    """Calls of providers through temporary delegation, in any role."""
    approvals: bool = False
    """Approvals of temporary delegation."""

    @property
    def needles(self) -> tuple[bytes, ...]:
        """INVARIANT: a file that holds none of these texts holds no wanted record.

        A record of a session contains `assumed-role/NAME/`; a record that assumes the role contains `role/PATH/NAME`. A
        slash may be escaped as `\\/`. Only the leading part of the name that no writer escapes is searched for.
        """
        result = {b"/" + _start(name) for _, name in self.roles} | {b"/" + _start(name) for name in self.further}
        if self.outsiders:
            result.add(b"AWSAccount")
        if self.delegates:
            result.add(b"invokedByDelegate")
        if self.approvals:
            result |= {name.encode() for name in APPROVING}
        return tuple(sorted(result))

    def event(self, record: TrailRecord) -> Event | None:
        """Return the row of a wanted record; None for other records. Raises SkippedRecordError."""
        tie = self._tie(record)
        return None if tie is None else event_of(record, tie)

    def _tie(self, record: TrailRecord) -> Tie | None:
        who = record.userIdentity
        context = who.sessionContext if who else None
        if who is not None:
            issuer = context.sessionIssuer if context else None
            arn = (issuer.arn if issuer else None) or who.arn
            key = role_key(arn) if arn else None
            if key is not None and key in self.roles:
                return Tie.ACT
            if who.accessKeyId and who.accessKeyId in self.keys:
                return Tie.ACT
            created = context.attributes.creationDate if context and context.attributes else None
            if who.principalId and created and (who.principalId, created) in self.sessions:
                return Tie.ACT
            if self.delegates and who.invokedByDelegate is not None:
                return Tie.ACT
        if is_entering(record):
            return self._entry(record)
        if self.approvals and record.eventName in APPROVING:
            return Tie.APPROVAL
        return None

    def _entry(self, record: TrailRecord) -> Tie | None:
        who = record.userIdentity
        role = role_key(target_of(record))
        if role is None:
            return None
        caller = who.accountId if who else None
        here = record.recipientAccountId
        is_ours = role in self.roles
        if self.outsiders and here in (None, role[0]) and who is not None and who.type == "AWSAccount":
            is_ours = is_ours or (caller != role[0] and caller not in self.own)
        if not is_ours:
            return None
        return Tie.ENTRY if here in (None, role[0]) else Tie.OTHER_SIDE


def _start(name: str) -> bytes:
    match = _PLAIN.match(name)
    return match[0].encode() if match else b""
