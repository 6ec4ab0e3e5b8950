"""The simulated provider: an HTTP server that speaks the protocols of the real ones and says that it is simulated.

`python -m continuo.simulator [--port 8377] [--host 127.0.0.1] [--latency 0]` serves

- `POST /v1/chat/completions` and `GET /v1/models` (OpenAI), `POST /v1/messages` (Anthropic),
  `POST /v1beta/models/MODEL:generateContent` and `:streamGenerateContent?alt=sse` (Gemini), streamed on request;
- the batches of all three: `/v1/files` and `/v1/batches`, `/v1/messages/batches`, `:batchGenerateContent` (inline
  requests) and `/v1beta/batches`; each request of one is a call, of the protocol `openai batch` and so on;
- `GET /_sim/calls[?model=ID]`: every request it got, in order, see `Call`, and how many requests, and texts to be
  embedded, for each model; `DELETE` forgets them;
- `PUT /_sim/models/ID`: how a model behaves from now on, see `Behaviour`; what is left out is the default.
  `GET` shows it, `DELETE` resets it, and `DELETE /_sim/models` resets all. Wrong input is a 422 that names the field;
- `GET /_sim/health`.

Any model's id is known. Every answer of a model carries the header `x-continuo-simulated: true`.
It stands for the outside world, so it imports nothing of ours.
"""
