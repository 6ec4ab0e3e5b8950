"""What outlives a process: the journal of answers and the ledger of what they cost."""
