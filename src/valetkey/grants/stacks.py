"""Whether CloudFormation keeps a role: what is changed there by hand, a stack update may undo.

Asked by DescribeStackResources with the role's name as PhysicalResourceId, which answers ValidationError where no stack
of the region has it (CloudFormation API reference, DescribeStackResources). A stack of another region, and Terraform,
cannot be known.
"""

from __future__ import annotations

from dataclasses import dataclass

from valetkey.account.calls import Call, CallError, Perform


@dataclass(frozen=True)
class Stack:
    """The stack that a role belongs to."""

    name: str = ""
    """Empty: no stack of the region has it, or that could not be read."""
    unread: str = ""
    """Why it is not known; empty when it is."""


def stack_of(perform: Perform, name: str) -> Stack:
    """The stack of a role, in the region that is called. Raises nothing."""
    try:
        found = perform(Call("cloudformation", "describe_stack_resources", {"PhysicalResourceId": name}))
    except CallError as error:
        return Stack() if error.code == "ValidationError" else Stack(unread=error.code)
    roles = [each for each in found.get("StackResources", ()) if each.get("ResourceType") == "AWS::IAM::Role"]
    return Stack(name=str(roles[0].get("StackName", ""))) if roles else Stack()
