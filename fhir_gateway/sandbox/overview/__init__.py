"""The demo's overview: the whole story, with the places to see it in."""

from fhir_gateway.sandbox.overview.app import Addresses, create_app

__all__ = ["Addresses", "create_app"]
