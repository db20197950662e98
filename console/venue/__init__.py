"""Venues: where orders rest and risk can be blocked at once."""
