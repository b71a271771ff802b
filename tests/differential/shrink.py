"""Shrink a case while it stays interesting: fewer sides, statements, tests, values and context keys.

`shrink(case, interesting)` passes many smaller cases to `interesting` at once (the referee evaluates batches) and
continues with the first interesting one; it ends if there is none. The result is in normal form unless the spelling
matters.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

from .cases import ELEMENTS, LEVELS, ONE, Case, Document, documents, drop_test, normal

Interesting = Callable[[list[Case]], list[bool]]
ROUNDS = 200
"""Every round makes the case smaller, so our cases never reach this limit."""


def shrink(case: Case, interesting: Interesting) -> Case:
    """The smallest interesting case that steps of `smaller` reach from `case`."""
    plain = normal(case)
    if plain != case and not interesting([plain])[0]:
        return case
    for _ in range(ROUNDS):
        candidates = list(smaller(plain))
        result = next((c for c, yes in zip(candidates, interesting(candidates), strict=True) if yes), None)
        if result is None:
            break
        plain = result
    return plain


def smaller(case: Case) -> Iterator[Case]:
    """Cases one step smaller than a case in normal form, the largest steps first."""
    for side in (*ONE, "identity", *LEVELS):
        if side in case:
            yield _with(case, lambda c, side=side: c.pop(side))
    for side in ("identity", *LEVELS):
        for index in range(len(case.get(side, ()))):
            yield _with(case, lambda c, side=side, index=index: c[side].pop(index))
    for side in LEVELS:
        for at, level in enumerate(case.get(side, ())):
            for index in range(len(level)):
                yield _with(case, lambda c, side=side, at=at, index=index: c[side][at].pop(index))
    for index, (_, document) in enumerate(documents(case)):
        yield from (_edit(case, index, edit) for edit in _document_edits(document))
    for key, value in case["request"]["context"].items():
        yield _with(case, lambda c, key=key: c["request"]["context"].pop(key))
        if isinstance(value, list) and len(value) > 1:
            for at in range(len(value)):
                yield _with(case, lambda c, key=key, at=at: c["request"]["context"][key].pop(at))


def smaller_document(document: Document) -> Iterator[Document]:
    """Documents one step smaller than a document, which is first put in normal form."""
    case: Case = {"request": {"resource": "*", "resource_account": "000000000000", "context": {}}, "trust": document}
    plain: Document = normal(case)["trust"]
    for edit in _document_edits(plain):
        made = copy.deepcopy(plain)
        edit(made)
        yield made


def _document_edits(document: Document) -> Iterator[Callable[[Document], Any]]:
    several = len(document["Statement"]) > 1
    for at, statement in enumerate(document["Statement"]):
        if several:
            yield lambda d, at=at: d["Statement"].pop(at)
        if "Condition" in statement:
            yield lambda d, at=at: d["Statement"][at].pop("Condition")
        for operator, block in statement.get("Condition", {}).items():
            for key, values in block.items():
                yield lambda d, at=at, o=operator, k=key: drop_test(d["Statement"][at], o, k)
                if len(values) > 1:
                    for index in range(len(values)):
                        yield lambda d, at=at, o=operator, k=key, i=index: d["Statement"][at]["Condition"][o][k].pop(i)
        for element in ELEMENTS:
            if element not in statement:
                continue
            if statement[element] != ["*"] and not element.startswith("Not"):
                yield lambda d, at=at, e=element: d["Statement"][at].update({e: ["*"]})
            if len(statement[element]) > 1:
                for index in range(len(statement[element])):
                    yield lambda d, at=at, e=element, i=index: d["Statement"][at][e].pop(i)
        for element in ("Principal", "NotPrincipal"):
            principal = statement.get(element, {})
            if element == "Principal" and principal and principal != {"AWS": ["*"]}:
                yield lambda d, at=at: d["Statement"][at].update({"Principal": {"AWS": ["*"]}})
            for kind, ids in principal.items():
                if len(principal) > 1:
                    yield lambda d, at=at, e=element, kind=kind: d["Statement"][at][e].pop(kind)
                if len(ids) > 1:
                    for index in range(len(ids)):
                        yield lambda d, at=at, e=element, kind=kind, i=index: d["Statement"][at][e][kind].pop(i)
    if document.get("Version") != "2012-10-17":
        yield lambda d: d.update({"Version": "2012-10-17"})


def _with(case: Case, edit: Callable[[Case], Any]) -> Case:
    made = copy.deepcopy(case)
    edit(made)
    return made


def _edit(case: Case, index: int, edit: Callable[[Document], Any]) -> Case:
    made = copy.deepcopy(case)
    edit([document for _, document in documents(made)][index])
    return made
