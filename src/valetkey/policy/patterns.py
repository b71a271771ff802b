"""The Action and Resource elements, compiled to tests.

Source: IAM User Guide, reference_policies_elements_action and reference_policies_elements_resource.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from valetkey.policy.globs import STAR, compiled, has_wildcard, wild
from valetkey.policy.operands import compile_arn, is_arn
from valetkey.policy.variables import Keys, broken, resolve, several, template


def compile_actions(patterns: Sequence[str], *, negated: bool, unsure: bool) -> Callable[[str], bool]:
    """Compile to a test of a lower-cased action. Actions are compared without case and have no policy variables.

    An empty Action "does not affect the policy" (access-analyzer-reference-policy-checks, "Empty array action"). An
    empty NotAction is undocumented: the test returns `unsure`.
    """
    if not patterns:
        return lambda action: negated and unsure
    lowered = [pattern.lower() for pattern in patterns]
    if any(not pattern.strip("*") for pattern in lowered):
        return lambda action: not negated
    plain = frozenset(pattern for pattern in lowered if not has_wildcard(pattern))
    globs = [compiled(wild(pattern)) for pattern in lowered if has_wildcard(pattern)]
    if not globs and not negated:
        return plain.__contains__

    def test(action: str) -> bool:
        return (action in plain or any(fits(action) for fits in globs)) is not negated

    return test


def compile_resources(
    patterns: Sequence[str], *, negated: bool, unsure: bool, variables: bool
) -> Callable[[str, Keys], bool]:
    """Compile to a test of a request's resource. A pattern whose variable has no value matches no Resource.

    An empty Resource "does not affect the policy" (access-analyzer-reference-policy-checks, "Empty array resource").
    The test returns `unsure` where AWS documents nothing: an empty NotResource; a variable without a value in
    NotResource; a variable with several values; a `${` that does not begin a variable.
    """
    if not patterns:
        return lambda resource, keys: negated and unsure
    if "*" in patterns:
        return lambda resource, keys: not negated
    clear = [pattern for pattern in patterns if not (variables and "${" in pattern and broken(pattern))]
    odd = len(clear) < len(patterns)
    read = [template(pattern, variables=variables, wildcards=True) for pattern in clear]
    tests = [compile_resource(pattern) for pattern in read if isinstance(pattern, str)]
    with_variables = [pattern for pattern in read if not isinstance(pattern, str)]

    def test(resource: str, keys: Keys) -> bool:
        doubt = odd
        if any(fits(resource) for fits in tests):
            return not negated
        for item in with_variables:
            pattern = resolve(item, keys)
            if pattern is None:
                doubt = doubt or negated or several(item, keys)
            elif compile_resource(pattern)(resource):
                return not negated
        return unsure if doubt else negated

    return test


def compile_resource(pattern: str) -> Callable[[str], bool]:
    """Compile one pattern with STAR and ANY to a test of a resource.

    Wildcards match inside one segment, but a `*` at the end of a segment may match beyond the colon. So an ARN pattern
    of too few segments is completed by such a `*`, or matches nothing.
    """
    segments = pattern.split(":", 5)
    whole = compiled(pattern)
    if not any(STAR in segment[:-1] for segment in segments[:5]):
        return whole
    by_segment = compile_arn(pattern)
    return lambda resource: by_segment is not None and is_arn(resource) and by_segment(resource)
