"""Whether a request belongs to a record: the trace plan, and the grading of what it finds."""
