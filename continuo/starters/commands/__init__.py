"""A module per command of `continuo`.

What speaks with a server takes as long to load as all the rest, so the function that needs it imports it: help and
mistakes are told without, and so is what a file or the store alone can tell.
"""
