"""Terminology servers: expansions of value sets that are not at hand."""
