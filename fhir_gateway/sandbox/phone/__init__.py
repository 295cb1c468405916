"""A stand-in for GOV.UK Notify and for every mobile phone it sends to."""
