"""Linear as a world in memory: what a whole sync is tested against, without a process or a socket."""
