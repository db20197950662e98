"""The application: verbs, screens, procedures and the adapters that talk to the world."""
