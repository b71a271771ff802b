"""The Resource element in the prover: its patterns, and one resource of every equivalence class."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from valetkey.catalog.condition_keys import ARN
from valetkey.catalog.text_forms import Stage
from valetkey.policy.globs import ANY, STAR
from valetkey.policy.statements import Statement
from valetkey.policy.variables import broken, template
from valetkey.prover.automata import Glob
from valetkey.prover.boxes import Budget
from valetkey.prover.key_partition import samples


def resource_globs(statement: Statement) -> tuple[list[Glob], bool]:
    """The Resource (or NotResource) element as patterns, and whether no entry with a variable was left out.

    A pattern is matched with an ARN part by part only if it has a `*` inside one of the first five parts
    (reference_policies_elements_resource)."""
    globs: list[Glob] = []
    exact = True
    for text in statement.resources or ():
        if text == "*":
            globs.append(Glob(STAR))
            continue
        read = template(text, variables=statement.variables, wildcards=True)
        if not isinstance(read, str) or (statement.variables and "${" in text and broken(text)):
            exact = False
            continue
        parts = read.split(":", 5)
        by_part = any(STAR in part[:-1] for part in parts[:5])
        if by_part and len(parts) < 6:
            continue  # matches nothing
        globs.append(Glob(read, "arn" if by_part else "whole"))
    return globs, exact


def resources(
    alone: Sequence[Statement],
    others: Sequence[Statement],
    covered: Mapping[tuple[str, ...], int],
    partition: str,
    budget: Budget,
) -> list[str]:
    """One resource of every equivalence class.

    Every allowed request is allowed by one pattern of one statement of `alone`. Only the other statements about the
    same actions decide whether it is denied, or allowed on the other side. So only these patterns are combined.
    """
    reads = {id(statement): resource_globs(statement) for statement in (*alone, *others)}
    stages = list(ARN.stages)
    named = {char for globs, _ in reads.values() for glob in globs for char in glob.text}
    stages[-1] = Stage(stages[-1].chars + "".join(sorted(named - {STAR, ANY, *stages[-1].chars})), 1)
    stages[4:5] = [Stage(char, 1, 1) for char in partition]
    form = replace(ARN, stages=tuple(stages), likely=(f"arn:{partition}:s3:::another-bucket/key",))
    if not alone:
        return ["*", *samples(_laid(reads[id(statement)][0] for statement in others), form, budget=budget)]
    result = {"*": None}
    for statement in alone:
        same = [item for item in others if _overlap(statement, item, covered)]
        beside = _laid(reads[id(item)][0] for item in same)
        globs, exact = reads[id(statement)]
        groups = [globs] if statement.not_resource else [[glob] for glob in globs]
        for group in groups if groups and exact else [*groups, []]:
            result |= dict.fromkeys(samples(_laid([group, beside]), form, budget=budget))
    return list(result)


def _laid(several: Iterable[Iterable[Glob]]) -> list[Glob]:
    return list(dict.fromkeys(glob for globs in several for glob in globs if glob.text != STAR))


def _overlap(one: Statement, other: Statement, covered: Mapping[tuple[str, ...], int]) -> bool:
    """Whether two statements have an action in common."""
    mine, theirs = (
        ~covered[statement.actions] if statement.not_action else covered[statement.actions]
        for statement in (one, other)
    )
    return bool(mine & theirs)
