"""Benchmarks: figures that are printed, each beside a baseline measured in the same run.

The machines are noisy, so nothing here passes or fails on an absolute time; the plan's own three
limits are asserted in `test_plan_limits.py`, and they are generous.
"""
