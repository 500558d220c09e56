"""The speed suite: ratios within one run, medians of interleaved rounds, CPU time."""
