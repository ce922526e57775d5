"""Targets without accounts and transaction ids: an address, a code, and nothing else."""
