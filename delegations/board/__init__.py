"""All delegations on one page: conflicts first, dates on a timeline."""
