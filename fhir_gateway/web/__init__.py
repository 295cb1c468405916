"""The patient pages, generated from Questionnaires."""
