"""Git as the first witness: a private mirror, commits on a private index, pushes."""
