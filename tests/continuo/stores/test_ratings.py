"""The table of ratings, on each store."""

from datetime import timedelta
from typing import Any

from continuo.operations.ratings import Rating
from continuo.stores.database import Database
from continuo.stores.ratings import rate, ratings_of
from tests.continuo.stores.test_runs import BEGAN


def rating(run_id: str = "r1", **fields: Any) -> Rating:
    given = {"tenant": "acme", "rater": "ann", "value": 0.75, "scale": "1-5", "time": BEGAN, "source": "person"}
    return Rating.model_validate({"run_id": run_id, **given, **fields})


async def test_what_a_rater_says_again_takes_the_place_of_what_was_said_before(database: Database) -> None:
    again = rating(value=1, scale="thumb", comment="ünlike before", time=BEGAN + timedelta(seconds=1), source="api")
    others = [rating("r2"), rating(rater="bob"), rating(dimension="accuracy")]
    for _ in range(2):
        await rate(database, [rating(comment="gone"), *others])
        await rate(database, [again])
    assert await ratings_of(database, ["r1"]) == [rating(dimension="accuracy"), rating(rater="bob"), again]
    assert await ratings_of(database, ["r2", "r3"]) == [rating("r2")]
    assert await ratings_of(database, []) == []
