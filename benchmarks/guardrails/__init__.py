"""The recognisers of personal data and secrets beside Presidio's, on the same texts."""
