"""A patient's request in the making: links, sessions, steps, security codes."""
