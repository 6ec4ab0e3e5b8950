"""What finds personal data and secrets in a text: a file a family, each a pure function in linear time."""
