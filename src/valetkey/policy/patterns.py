"""The Action and Resource elements as tests.

Source: IAM User Guide, reference_policies_elements_action and reference_policies_elements_resource.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from valetkey.policy.globs import STAR, compiled, has_wildcard, wild
from valetkey.policy.operands import fits_arn, is_arn
from valetkey.policy.variables import Keys, resolve, template


def compile_actions(patterns: Sequence[str], *, negated: bool, deny: bool) -> Callable[[str], bool]:
    """A test of a lower-cased action. Actions are compared without case and take no variables."""
    if not patterns:
        return lambda action: negated and deny
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
    patterns: Sequence[str], *, negated: bool, deny: bool, variables: bool
) -> Callable[[str, Keys], bool]:
    """A test of a request's resource. A variable without a value matches no Resource.

    AWS does not say what such a variable does in NotResource, nor an empty NotResource: an Allow does not match, a
    Deny does.
    """
    if not patterns:
        return lambda resource, keys: negated and deny
    if "*" in patterns:
        return lambda resource, keys: not negated
    read = [template(pattern, variables=variables, wildcards=True) for pattern in patterns]

    def test(resource: str, keys: Keys) -> bool:
        unsure = False
        for each in read:
            pattern = each if isinstance(each, str) else resolve(each, keys)
            if pattern is None:
                unsure = True
            elif fits_resource(pattern, resource):
                return not negated
        return negated and (deny or not unsure)

    return test


def fits_resource(pattern: str, resource: str) -> bool:
    """Whether a resource fits a pattern with STAR and ANY.

    Wildcards stay inside a segment, but a `*` that ends its segment may reach beyond the colon. An ARN of too few
    segments is completed by such a `*` or fits nothing.
    """
    if pattern in (resource, STAR):
        return True
    if is_arn(resource) and pattern.count(":") >= 5 and fits_arn(pattern, resource):
        return True
    segments = pattern.split(":", 5)
    inner = any(STAR in segment[:-1] for segment in segments[:5])
    return not inner and compiled(pattern)(resource)
