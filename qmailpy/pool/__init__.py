"""Resident pools: processes that are warm, and do the work of servers and of qmail-queue when these are called (INTERNALS: Resident pools)."""
