"""The record of who did what, as AuditEvents in the shape of IHE BALP (https://profiles.ihe.net/ITI/BALP)."""
