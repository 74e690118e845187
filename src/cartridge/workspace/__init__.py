"""Files to models to one resolved stack. The only place that reads documents and the environment."""
