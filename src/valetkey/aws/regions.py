"""The regions that the installed botocore knows."""

from __future__ import annotations

import botocore.session


def all_regions() -> tuple[str, ...]:
    """Names of the regions of every partition, those that have to be enabled too; without a call."""
    core = botocore.session.get_session()
    return tuple(
        sorted(
            region
            for partition in core.get_available_partitions()
            for region in core.get_available_regions("ec2", partition_name=partition)
        )
    )
