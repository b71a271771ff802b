"""The regions that the installed botocore knows."""

from __future__ import annotations

import botocore.session


def all_regions(partition: str = "aws") -> tuple[str, ...]:
    """Names of a partition's regions, those that have to be enabled too; without a call."""
    return tuple(sorted(botocore.session.get_session().get_available_regions("ec2", partition_name=partition)))
