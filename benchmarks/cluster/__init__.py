"""The cluster of docker-compose.yml as processes on loopback, without a container engine: `make cluster`."""
