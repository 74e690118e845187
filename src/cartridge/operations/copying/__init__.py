"""Taking the data of a network that runs, and choosing the copy that a run starts from."""
