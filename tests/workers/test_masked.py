"""What a worker sends to Temporal holds no secret, and can be read again."""

from temporalio.api.failure.v1 import Failure as FailureMessage
from temporalio.exceptions import ApplicationError

from continuo.config.settings import Settings
from continuo.jobs import Failure, Outcome
from continuo.protection.masking import LONG, MASK, Masker
from continuo.temporal.masked import masked
from continuo.temporal.payloads import converter

KEY = 'sk-canary/0123456789"abcdef+XYZ'
DATA = masked(converter(Settings()), Masker([KEY, "standard"]), Masker([KEY, "standard"], LONG))


async def test_a_value_is_masked_and_can_be_read() -> None:
    [payload] = await DATA.encode([Outcome(text=f"it is {KEY}", served_by="model", cost_usd=0.5)])
    assert b"canary" not in payload.data
    [found] = await DATA.decode([payload], [Outcome])
    assert found == Outcome(text=f"it is {MASK}", served_by="model", cost_usd=0.5)


async def test_a_short_secret_does_not_change_what_a_program_reads() -> None:
    [payload] = await DATA.encode(["standard"])
    assert payload.data == b'"standard"'


async def test_an_error_is_masked_with_its_causes_its_details_and_its_stack() -> None:
    failure = FailureMessage()
    try:
        try:
            raise ValueError(KEY)
        except ValueError as error:
            raise ApplicationError(KEY, Failure(type="x", message=KEY), type="x") from error
    except ApplicationError as error:
        await DATA.encode_failure(error, failure)
    assert "canary" not in str(failure)
    assert (failure.message, failure.cause.message) == (MASK, MASK)
