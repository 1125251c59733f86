"""Tests of the ping library, most of them against networks of our own making."""
