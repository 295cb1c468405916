"""The settings of subscriptions: a part of the gateway's (settings.py), which reads them."""

from __future__ import annotations

from pydantic import BaseModel, Field


class SubscriptionSettings(BaseModel):
    """Where subscribers may be."""

    subscription_hosts: tuple[str, ...] = Field(
        (),
        description="Hosts of subscribers that may be at private addresses and without TLS. "
        "Default: none.",
    )
