"""Textual screens: they show the desk and call procedures."""
