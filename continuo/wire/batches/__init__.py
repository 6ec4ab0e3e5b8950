"""Files and batches in OpenAI's shapes, and message batches in Anthropic's."""
