"""The rules of validation, one file a family. Each rule looks at one place and yields issues."""
