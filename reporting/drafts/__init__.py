"""First drafts of the narrative report, written in Word from a union's own figures."""
