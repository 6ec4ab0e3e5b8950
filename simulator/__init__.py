"""The simulated provider: an HTTP server that speaks the protocols of the real ones and says that it is simulated.

`python -m simulator [--port 8377]` serves

- `POST /v1/chat/completions` (OpenAI), `POST /v1/messages` (Anthropic),
  `POST /v1beta/models/MODEL:generateContent` and `:streamGenerateContent` (Gemini), streamed on request;
- `GET /_sim/calls[?model=ID]`: every request it got, in order; `DELETE` forgets them;
- `PUT /_sim/models/ID`: how a model behaves, see `Behaviour`; `GET` shows it, `DELETE` resets it,
  and `DELETE /_sim/models` resets all;
- `GET /_sim/health`.

Any model's id is known. Every answer carries the header `x-continuo-simulated: true`.
It stands for the outside world, so it imports nothing of ours.
"""
