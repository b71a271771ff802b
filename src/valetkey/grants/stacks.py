"""Whether a role belongs to a CloudFormation stack: a stack update may then undo a change made by hand.

DescribeStackResources is called with the role's name as PhysicalResourceId. It returns ValidationError if no stack of
the region contains it (CloudFormation API reference, DescribeStackResources). Stacks in other regions, and Terraform,
cannot be detected.
"""

from __future__ import annotations

from dataclasses import dataclass

from valetkey.account.calls import Call, CallError, Perform


@dataclass(frozen=True)
class Stack:
    """The stack of a role."""

    name: str = ""
    """Empty: no stack of the region contains the role, or the stack could not be read."""
    unread: str = ""
    """Why the stack could not be read, or empty."""


def stack_of(perform: Perform, name: str) -> Stack:
    """Return the stack of a role, in the region of the call. Raises nothing."""
    try:
        result = perform(Call("cloudformation", "describe_stack_resources", {"PhysicalResourceId": name}))
    except CallError as error:
        return Stack() if error.code == "ValidationError" else Stack(unread=error.code)
    roles = [
        resource for resource in result.get("StackResources", ()) if resource.get("ResourceType") == "AWS::IAM::Role"
    ]
    return Stack(name=str(roles[0].get("StackName", ""))) if roles else Stack()
