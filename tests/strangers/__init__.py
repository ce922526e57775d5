"""Servers of three strangers: the harness must be right about each, sound, odd or broken."""
