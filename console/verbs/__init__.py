"""Command-line verbs; each calls the same procedures as the screens."""
