"""The pages' own words in other languages, one JSON file a language (words.py)."""
