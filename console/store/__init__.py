"""Storage: the ledger, the observations beside it, the spill file."""
