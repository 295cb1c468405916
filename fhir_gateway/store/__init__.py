"""Tables, repositories and migrations; SQLite and PostgreSQL. Repositories never commit."""
