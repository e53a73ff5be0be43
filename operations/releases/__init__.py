"""What a release leaves behind: which migrations its image holds, and what ran where when it was done."""
