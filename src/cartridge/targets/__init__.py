"""Where components run: one package a target, each with one `Driver` and its resources."""
