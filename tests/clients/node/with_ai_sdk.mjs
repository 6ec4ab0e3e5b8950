// The Vercel AI SDK: text, streams, tools and typed objects, by each API.
import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { APICallError, Output, generateText, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";

globalThis.AI_SDK_LOG_WARNINGS = false;
const base = process.env.CONTINUO_GATEWAY_URL;
const ours = process.env.CONTINUO_GATEWAY_KEY;

const openai = (key) => createOpenAI({ baseURL: `${base}/v1`, apiKey: key });
const anthropic = (key) => createAnthropic({ baseURL: `${base}/v1`, apiKey: key });
const apis = {
  chat: (name, key = ours) => openai(key).chat(`openai-${name}`),
  messages: (name, key = ours) => anthropic(key)(`anthropic-${name}`),
};
if (process.env.CLIENT_RESPONSES) apis.responses = (name, key = ours) => openai(key).responses(`openai-${name}`);

const counts = ({ inputTokens, outputTokens }) => ({ inputTokens, outputTokens });
const weather = tool({
  description: "The weather of a city.",
  inputSchema: z.object({ city: z.string() }),
  execute: async ({ city }) => `sunny in ${city}`,
});
const city = z.object({ name: z.string(), people: z.number() });

async function text(model) {
  const { text, finishReason, usage } = await generateText({ model, system: "Be short.", prompt: "Where is my order?" });
  return { text, finishReason, usage: counts(usage) };
}

async function streamed(model) {
  const result = streamText({ model, prompt: "Where is my order?" });
  let text = "";
  for await (const delta of result.textStream) text += delta;
  return { text, finishReason: await result.finishReason, usage: counts(await result.usage) };
}

async function called(model) {
  const { text, steps, usage } = await generateText({
    model, prompt: "How is the weather in Rome?", tools: { weather }, stopWhen: stepCountIs(3),
  });
  const calls = steps.flatMap((step) => step.toolCalls).map(({ toolName, input }) => ({ toolName, input }));
  return { text, calls, usage: counts(usage) };
}

async function calledInAStream(model) {
  const result = streamText({ model, prompt: "How is the weather in Rome?", tools: { weather } });
  await result.consumeStream();
  return (await result.toolCalls).map(({ toolName, input }) => ({ toolName, input }));
}

async function structured(model) {
  // Of this client, Anthropic's models that it does not know have no schemas, unless told so.
  const providerOptions = { anthropic: { structuredOutputMode: "outputFormat" } };
  const output = Output.object({ schema: city });
  return (await generateText({ model, prompt: "A city?", output, providerOptions })).output;
}

async function error(model) {
  try {
    await generateText({ model, prompt: "Hello", maxRetries: 0 });
  } catch (raised) {
    return { api: APICallError.isInstance(raised), status: raised.statusCode, again: raised.isRetryable };
  }
  return null;
}

const seen = {};
for (const [name, chat] of Object.entries(apis)) {
  seen[name] = {
    text: await text(chat("text")),
    stream: await streamed(chat("text")),
    tool: await called(chat("tool")),
    "tool stream": await calledInAStream(chat("tool")),
    structured: await structured(chat("json")),
    busy: await error(chat("busy")),
    wrong: await error(chat("wrong")),
    missing: await error(chat("missing")),
    key: await error(chat("locked", "sk-none-of-ours")),
  };
}
console.log(JSON.stringify(seen));
