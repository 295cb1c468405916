"""The settings of the page: a part of the gateway's (settings.py), which are read there alone."""

from __future__ import annotations

from pydantic import BaseModel, Field


class ConformanceSettings(BaseModel):
    """Which servers may be tested from the page."""

    conformance_targets: tuple[str, ...] = Field(
        (),
        description="Hosts (host or host:port) that may be tested from the page /conformance, "
        "which is there only with them and with ops_token.",
    )
