"""The addresses a patient meets, one file for each part of the journey."""
