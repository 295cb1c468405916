"""The Personal Demographics Service of NHS England."""
