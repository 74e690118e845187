"""Programs that measure Cartridge beside its peers, interleaved in one run, reported as ratios.

`python -m benchmarks [NAME...]` runs the cases and writes RESULTS.md. Nothing here is a test: a figure out of
reach is reported, never hidden and never asserted.
"""
