"""Textual widgets that draw domain values and know nothing of where they come from."""
