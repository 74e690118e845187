"""The pytest plugin: `plugin` is its door, `network` what a test is given. Every pytest run imports it."""
