"""All checks of `doctor` in the order of the report, and the conclusions from their answers."""

from __future__ import annotations

from valetkey.account.denial import Denial, PolicyType
from valetkey.credentials.doctor.diagnosis import AnsweredCheck, DoctorCheck, Facts, NotRead
from valetkey.credentials.doctor.localchecks import LOCAL
from valetkey.credentials.doctor.ownchecks import OWN_CHECKS
from valetkey.credentials.doctor.probing import ADDRESS, OURS, Probing
from valetkey.credentials.sessions.refusal_sides import RefusingSide, says, side_of

CHECKS: tuple[DoctorCheck, ...] = (*OWN_CHECKS, *LOCAL)


def likely(checks: tuple[AnsweredCheck, ...], probing: Probing | None = None) -> str:
    """Return the most likely cause of the denial as one sentence; empty if none is known.

    Results of calls come before results of reading policies. Among the latter, the first check counts: without the
    right time, keys and identity, later checks cannot be right.
    """
    if probing is not None and probing.is_in:
        return ""
    if probing is not None and probing.reason:
        return probing.reason
    blocks = [check.answer.says for check in checks if check.answer.result == "blocks"]
    if probing is not None and probing.denial is not None and side_of(probing.denial) is RefusingSide.OWNER:
        # AWS has shown which side denied the call; our own account comes after that.
        others = [
            check.answer.says for check in checks if check.answer.result == "blocks" and check.check.id not in OURS
        ]
        return others[0] if others else _address(probing) + _owners(probing.denial, blocks)
    if blocks:
        return blocks[0]
    return _address(probing) + _by_what_is_open(probing) if probing is not None else ""


def _address(probing: Probing) -> str:
    """Return the address as the first cause, if the grant limits it and nothing has ruled it out."""
    return next((f"{cause.what}; call from there. Else " for cause in probing.open if cause.id == ADDRESS), "")


def _by_what_is_open(probing: Probing) -> str:
    """Return the cause if AWS has named no side and no check blocks."""
    ours = {cause.id for cause in probing.open if cause.who == "your admin"}
    if "own-permission" in ours:
        return "your own account does not allow the call, or the owner has changed or ended the grant"
    if ours:
        return (
            "the owner has changed or ended the grant (an SCP of your organization could refuse too; none can be read)"
        )
    return "the owner has changed or ended the grant: nothing on your side blocks you"


def _owners(denial: Denial, blocks: list[str]) -> str:
    """Return the cause if the owner's side denied the call; `blocks` are the reasons on our side."""
    is_rcp = denial.policy is PolicyType.RCP
    reason = says(denial) if is_rcp else f"the owner has changed or ended the grant: {says(denial)}"
    return f"{reason}; and then {blocks[0]}" if blocks else reason


def exit_code(facts: Facts, checks: tuple[AnsweredCheck, ...], probing: Probing | None = None) -> int:
    """Return 0: nothing blocks; 1: something blocks; 3: AWS or the network failed, and nothing else is known
    to block."""
    if any(check.answer.result == "blocks" for check in checks):
        return 1
    if probing is not None and probing.tries[0].result == "failed":
        return 3
    if probing is not None and not probing.is_in:
        return 1
    return 3 if any(isinstance(item, NotRead) and item.no_answer for item in (facts.skew, facts.identity)) else 0
