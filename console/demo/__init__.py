"""The demo world: a Git remote, two venues, a GitOps loop and a cast of people."""
