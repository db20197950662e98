"""Panic: four ways down that start with the policy file and what credentials are at hand, and wait for nothing else."""
