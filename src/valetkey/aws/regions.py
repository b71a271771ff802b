"""The regions that the installed botocore knows."""

from __future__ import annotations

import botocore.session


def all_regions() -> tuple[str, ...]:
    """Return the regions of every partition, including those that need to be enabled. Makes no call."""
    core = botocore.session.get_session()
    return tuple(
        sorted(
            region
            for partition in core.get_available_partitions()
            for region in core.get_available_regions("ec2", partition_name=partition)
        )
    )
