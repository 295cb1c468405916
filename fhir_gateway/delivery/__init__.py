"""From an accepted request to the EPR: trace, map, send, confirm."""
