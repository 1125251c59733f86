"""Benchmarks: the site beside the application that it descends from, on the same machine in the same run."""
