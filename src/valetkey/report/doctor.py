"""The doctor's results as a table and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from valetkey.commandline import command
from valetkey.report.text import mask, say, say_json, say_table

if TYPE_CHECKING:
    from valetkey.credentials.doctor.diagnosis import AnsweredCheck, Facts
    from valetkey.credentials.doctor.probing import Probing

_WORDS = {"ok": "ok", "blocks": "BLOCKED", "beware": "beware", "unknown": "unknown"}


def say_diagnosis(
    facts: Facts, checks: tuple[AnsweredCheck, ...], probing: Probing | None, likely: str, *, as_json: bool
) -> None:
    """Print every check, the results of the attempts, the message to the owner, and last the most likely reason."""
    letter = _letter(facts, probing)
    if as_json:
        from valetkey.report.results.doctor import diagnosed

        say_json(diagnosed(facts, checks, probing, likely, letter))
        return
    rows = [(check.check.id, _WORDS[check.answer.result], check.answer.says, check.answer.do) for check in checks]
    say_table(("check", "result", "what was found", "what to do"), rows)
    if probing is not None:
        _say_probing(probing, letter)
    blocks = [check.check.id for check in checks if check.answer.result == "blocks"]
    unknown = [check.check.id for check in checks if check.answer.result == "unknown"]
    if blocks:
        say(f"Blocked by: {', '.join(blocks)}.")
    elif probing is None:
        say("Nothing that could be checked blocks you.")
    if unknown:
        say(f"Could not be checked: {', '.join(unknown)}.")
    if facts.profile is not None and probing is None and not blocks:
        say(f"If AWS still refuses: {command('valetkey doctor', facts.profile.name, then='--probe')}")
    if likely:
        say(f"most likely: {likely}")


def _say_probing(probing: Probing, letter: str) -> None:
    say_table(("tried", "result", "what was seen"), [(item.way, item.result, item.says) for item in probing.tries])
    if probing.is_in:
        say("The role admits you: nothing blocks it.")
    if probing.ruled_out:
        say_table(("ruled out", "because"), [(cause.what, cause.how) for cause in probing.ruled_out])
    if probing.open:
        say(_one_answer(probing))
        say_table(("could be", "who can find out", "how"), [(c.what, c.who, c.how) for c in probing.open])
    if letter:
        say("Message for the owner:", "", *(f"    {line}" for line in letter.splitlines()), "")


def _one_answer(probing: Probing) -> str:
    from valetkey.credentials.sessions.refusal_sides import RefusingSide, side_of

    denial = probing.denial
    if denial is not None and side_of(denial) is RefusingSide.OWNER:
        if len(probing.open) == 1:
            return f"AWS names the owner's side ({denial.named}):"
        return f"AWS names the owner's side ({denial.named}), and returns the same answer for all of these:"
    return "AWS returns the same answer for all of these:"


def _letter(facts: Facts, probing: Probing | None) -> str:
    from valetkey.credentials.doctor.diagnosis import NotRead
    from valetkey.credentials.doctor.probing import message

    if probing is None or facts.profile is None:
        return ""
    caller = "not known" if isinstance(facts.identity, NotRead) else facts.identity.arn
    masked = f"{mask(facts.profile.external_id)} (as in your handoff)" if facts.profile.external_id else "none"
    return message(facts.profile, caller, probing, masked=masked, now=facts.now)
