"""Stand-ins for PDS, an EPR and mobile phones, for the demo and the tests. Never real data."""
