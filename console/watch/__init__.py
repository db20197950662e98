"""The watch: reads signals, evaluates each second, acts when it holds the lease."""
