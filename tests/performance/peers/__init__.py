"""The same work on other workflow engines, installed when asked for: `make peers`.

Kept out of the test run: it installs some hundred megabytes from the registries. What is compared
is the price of a step that runs a script in a process of its own, with the same Python for all;
they do much beside it that the sidecar does not (schedules, clusters, web interfaces).
"""
