"""`python -m starters` is `continuo`."""

from starters.app import main

main()
