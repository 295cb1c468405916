"""The record systems of hospitals."""
