"""What policies allow, as JSON (docs/reference/{grant,revoke,audit}.md)."""

from __future__ import annotations

from valetkey.prover import effective_permissions
from valetkey.report.results.shape import Shape, shaped


class Outlives(Shape, frozen=True):
    """One kind of access that a deny on the role does not end."""

    what: str
    actions: list[str]
    policies: list[str]
    longest_seconds: int | None
    note: str | None
    page: str

    @classmethod
    def of(cls, outlives: effective_permissions.Outlives) -> Outlives:
        kind = outlives.kind
        longest, note = kind.longest, kind.note or None
        return shaped(cls, outlives, what=kind.what, longest_seconds=longest, note=note, page=kind.page)


class ReadsData(Shape, frozen=True):
    what: str
    actions: list[str]
    policies: list[str]


class Escalation(Shape, frozen=True):
    action: str
    way: str
    policy: str
    statement: str
    resources: list[str]


class Opens(Shape, frozen=True):
    levels: dict[str, int]
    reads_data: list[ReadsData]
    escalations: list[Escalation]
    outlives: list[Outlives]
    undecided: str | None
    """Why the values above may be more than the policies allow: a full analysis takes too much work."""

    @classmethod
    def of(cls, opening: effective_permissions.Opening) -> Opens:
        outlives = [Outlives.of(item) for item in opening.outlives]
        return shaped(cls, opening, outlives=outlives, undecided=opening.undecided or None)
