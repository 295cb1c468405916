"""Faults that can be switched on: how EPRs of others are known to differ from the standard.

Each stands between a client and the sandbox's right answer; without any, nothing is changed.
"""
