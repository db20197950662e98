"""Sources of signals: one long-lived thread for each fetch."""
