"""What of a request or an answer must not pass: pure pieces, which the door and the pattern `guard` put in order."""
