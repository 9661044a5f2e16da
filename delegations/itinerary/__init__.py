"""A delegation's days for the leader's folder and for a calendar."""
