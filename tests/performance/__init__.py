"""Benchmarks: figures that are printed, each beside a baseline measured in the same run.

To add some: a module here with `BENCHMARKS`, functions that yield rows (see `figures`), and its
name in `__main__.MODULES`. The machines are noisy, so nothing here passes or fails on a time;
the plan's own three limits are asserted in `test_plan_limits.py`, and they are generous.
"""
