"""Drilling: how a drill walks its steps on the paper target, and what it keeps as evidence."""
