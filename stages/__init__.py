"""The domain of Rampdeck: pure, synchronous, typed; no I/O, no clock, no terminal."""
