"""Procedures: advance, reduce and their kin; they reach the world through ports alone."""
