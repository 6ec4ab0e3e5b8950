"""A shop's inventory, payment and shipping services over HTTP: what the order saga reserves, charges and ships.

`python -m continuo.simulator.shop [--port 8378] [--data FILE]` serves, for each of

- `/inventory/reservations/KEY`, `/payment/charges/KEY`, `/shipping/shipments/KEY`

`PUT` (do it, with the order as JSON body) and `DELETE` (undo it). KEY is the caller's identity of the deed, so that
both are idempotent; a `DELETE` that comes first leaves a mark that refuses the late `PUT`. Then, for whoever counts:
`GET /totals`, `GET /operations`, and `PUT /_faults/SERVICE` to script failures.
"""
