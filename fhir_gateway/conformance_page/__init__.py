"""Conformance testing from a page of the gateway, for testers without a shell.

Off unless an operator names hosts that may be tested, and a token to sign in by.
"""
