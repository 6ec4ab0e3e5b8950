"""The stack of one machine: the Temporal server and where it comes from, the simulator, the shop and the pools."""
