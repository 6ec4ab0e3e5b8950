"""What a letter shows of itself, and which other pattern may run its job."""

from datetime import UTC, datetime

import pytest

from continuo.authoring.library import Library
from continuo.config.defaults import DEFAULTS
from continuo.config.settings import Settings
from continuo.door.stages import again
from continuo.errors import InputError
from continuo.jobs import Failure, Job
from continuo.messages import Message, ModelRequest
from continuo.operations.dead_letters import Letter
from continuo.patterns import Call
from continuo.testing.processes import job
from tests.support.media import part, png


@pytest.fixture
def failed(environ: pytest.MonkeyPatch, simulator_process: object) -> Job:
    return job(Call(model="premium"), "Long " * 1000, order_id="T-1")


def test_a_letter_of_a_huge_job_is_shown_in_short(failed: Job) -> None:
    failure = Failure(type="server_error", message="down\n" * 1000)
    letter = Letter(job=failed, failure=failure, workflow_id="é" * 1000, run_id="1", time=datetime.now(UTC))
    brief = letter.brief()
    assert (len(str(brief["prompt"])), len(str(brief["error"]))) == (80, 200)
    assert str(brief["error"]).startswith("server_error: down down ")
    # The server allows 1,000 bytes.
    assert len(letter.id.encode()) < 1000


def test_another_pattern_takes_over_the_input_and_gives_its_name(failed: Job) -> None:
    found = again(Library(), failed, "order")
    assert (found.step.kind, found.context.pattern, found.context.tenant) == ("saga", "order", "acme")
    assert (found.request, found.data) == (failed.request, failed.data)


def test_a_pattern_that_does_not_take_the_letter_s_image_cannot_take_over(failed: Job) -> None:
    turn = Message(role="user", content=(part(png()),))
    library = Library(Settings(simulated=True))
    with_image = failed.model_copy(update={"request": ModelRequest(messages=(turn,))})
    assert again(library, with_image, "describe").request == with_image.request
    with pytest.raises(InputError, match="model 'knowledge' of the pattern takes no image"):
        again(Library(), with_image, "help-pages")


def test_a_file_is_no_named_pattern_since_the_pools_may_not_have_it(failed: Job) -> None:
    with pytest.raises(InputError, match="is a file; name a pattern of"):
        again(Library(), failed, str(DEFAULTS / "patterns" / "support.yaml"))
