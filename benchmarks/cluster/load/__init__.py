"""The cluster under a mixed load, while each of its parts is killed once: `make load`."""
