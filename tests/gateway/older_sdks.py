"""What a program with the SDKs of one major before does. It is run by an interpreter that has those, which it prints.

Its arguments are the gateway's address and a key.
"""

import asyncio
import json
import sys
import wave
from io import BytesIO
from typing import Any

import anthropic
import openai

URL, KEY = sys.argv[1:]
ASKED: Any = [{"role": "user", "content": "Where is my order?"}]
WEATHER: Any = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
MODEL = "sim-mini"


def openai_sync() -> None:
    with openai.OpenAI(base_url=f"{URL}/v1", api_key=KEY) as client:
        completion = client.chat.completions.create(model=MODEL, messages=ASKED)
        assert completion.choices[0].message.content
        assert completion.usage
        chunks = client.chat.completions.create(
            model=MODEL, messages=ASKED, stream=True, stream_options={"include_usage": True}
        )
        pieces = list(chunks)
        assert "".join(one.choices[0].delta.content or "" for one in pieces if one.choices)
        assert pieces[-1].usage
        called = client.chat.completions.create(model=MODEL, messages=ASKED, tools=[WEATHER], tool_choice="required")
        assert called.choices[0].message.tool_calls
        response = client.responses.create(model=MODEL, input="Where is my order?")
        assert response.output_text
        assert [event.type for event in client.responses.create(model=MODEL, input="Where?", stream=True)][-1] == (
            "response.completed"
        )
        found = client.embeddings.create(model="sim-embed", input=["a", "b"])
        assert [len(one.embedding) for one in found.data] == [64, 64]
        assert client.completions.create(model=MODEL, prompt="Where?").choices[0].text
        assert MODEL in [model.id for model in client.models.list()]
        assert client.audio.transcriptions.create(model="sim-transcribe", file=("talk.wav", silence())).text
        for error, asking in (
            (openai.NotFoundError, {"model": "no-such"}),
            (openai.BadRequestError, {"model": MODEL, "temperature": 3}),
        ):
            expect(error, lambda asking=asking: client.chat.completions.create(messages=ASKED, **asking))
    with openai.OpenAI(base_url=f"{URL}/v1", api_key="cnt_wrong") as client:
        expect(openai.AuthenticationError, lambda: client.models.list())


async def openai_async() -> None:
    async with openai.AsyncOpenAI(base_url=f"{URL}/v1", api_key=KEY) as client:
        assert (await client.chat.completions.create(model=MODEL, messages=ASKED)).choices[0].message.content
        chunks = await client.chat.completions.create(model=MODEL, messages=ASKED, stream=True)
        assert [chunk async for chunk in chunks][-1].choices[0].finish_reason == "stop"
        assert (await client.responses.create(model=MODEL, input="Where is my order?")).output_text
        assert (await client.embeddings.create(model="sim-embed", input="a")).data[0].embedding


def anthropic_sync() -> None:
    with anthropic.Anthropic(base_url=URL, api_key=KEY) as client:
        message = client.messages.create(model=MODEL, messages=ASKED, max_tokens=100)
        assert message.content[0].type == "text"
        with client.messages.stream(model=MODEL, messages=ASKED, max_tokens=100) as stream:
            assert "".join(stream.text_stream)
            assert stream.get_final_message().usage.output_tokens
        assert client.messages.count_tokens(model=MODEL, messages=ASKED).input_tokens
        assert client.models.list().data
        expect(
            anthropic.NotFoundError,
            lambda: client.messages.create(model="no-such", messages=ASKED, max_tokens=100),
        )
        expect(
            anthropic.BadRequestError,
            lambda: client.messages.create(model=MODEL, messages=[], max_tokens=100),
        )
    with anthropic.Anthropic(base_url=URL, api_key="cnt_wrong") as client:
        expect(
            anthropic.AuthenticationError,
            lambda: client.messages.create(model=MODEL, messages=ASKED, max_tokens=100),
        )


async def anthropic_async() -> None:
    async with anthropic.AsyncAnthropic(base_url=URL, api_key=KEY) as client:
        assert (await client.messages.create(model=MODEL, messages=ASKED, max_tokens=100)).content
        async with client.messages.stream(model=MODEL, messages=ASKED, max_tokens=100) as stream:
            assert [text async for text in stream.text_stream]


def silence() -> bytes:
    """A second of it, as WAV."""
    written = BytesIO()
    with wave.open(written, "wb") as file:
        file.setparams((1, 1, 8_000, 0, "NONE", "NONE"))
        file.writeframes(bytes(8_000))
    return written.getvalue()


def expect(error: type[Exception], asking: Any) -> None:
    try:
        asking()
    except error:
        return
    raise AssertionError(f"no {error.__name__}")


openai_sync()
asyncio.run(openai_async())
anthropic_sync()
asyncio.run(anthropic_async())
print(json.dumps({"openai": openai.__version__, "anthropic": anthropic.__version__}))
