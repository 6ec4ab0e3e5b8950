"""A region with all that runs in it is lost, and another one takes over: `make failover`."""
