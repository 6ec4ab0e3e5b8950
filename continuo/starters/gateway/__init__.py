"""The HTTP gateway: OpenAI's and Anthropic's APIs, whose requests enter by the door."""
