"""Random cases that are almost allowed.

A case begins as a request and policies that allow it (`allowed`): principals, actions, resources and condition tests
are generated to match. Then usually one to three things are changed (`mutate`). The pools are small and collide by
design (`pools`): names that are prefixes of each other, that differ in case, that contain `*`, `?` or regex characters,
an account id as a name, account ids one digit apart, the same ARN in another partition.
`case(seed, number)` is deterministic.
"""

from __future__ import annotations

import random

from .allowed import allowed
from .cases import Case, base, condition_tests
from .mutate import MUTATIONS, spell
from .pools import KEYS, READABLE, TYPE_OF


def case(seed: str | int, number: int) -> Case:
    """Case `number` of the campaign `seed`, in AWS's many spellings."""
    rng = random.Random(f"{seed}:{number}")
    made = allowed(rng)
    if rng.random() < 0.82:
        for _ in range(rng.choice((1, 1, 1, 2, 2, 3))):
            rng.choice(MUTATIONS)(rng, made)
    for _, _, operator, _, values in condition_tests(made):
        readable, others = READABLE.get(TYPE_OF.get(base(operator), ""), (None, ()))
        if readable:
            values[:] = [value if readable(value) else rng.choice(others) for value in values]
            if rng.random() < 0.01:
                values[0] = f"${{{rng.choice(KEYS).name}}}"  # where AWS documents none
    for level in made.get("rcps", ()):
        for document in level:
            for statement in document["Statement"]:
                statement["Principal"] = {"AWS": ["*"]}  # AWS accepts nothing else in an RCP
    return spell(rng, made)
