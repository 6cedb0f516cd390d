// Server-sent events read from a fetch stream, because EventSource can not send an access token.

export type LiveEvent = { id: string; topic: string; data: unknown };

/** Splits a growing text into events; returns the rest that is not complete yet. */
export function parseEvents(text: string): { events: LiveEvent[]; rest: string } {
  const blocks = text.split("\n\n");
  const rest = blocks.pop() ?? "";
  const events = blocks.flatMap((block) => {
    const fields = new Map<string, string>();
    for (const line of block.split("\n")) {
      const colon = line.indexOf(":");
      if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 1).trimStart());
    }
    const data = fields.get("data");
    if (data === undefined) return [];
    return [
      {
        id: fields.get("id") ?? "",
        topic: fields.get("event") ?? "message",
        data: JSON.parse(data) as unknown,
      },
    ];
  });
  return { events, rest };
}

export type Watchdog = { signal: AbortSignal; reset: () => void; stop: () => void };

/** Aborts its signal when it was not reset for `timeoutMs`. */
export function startWatchdog(timeoutMs: number): Watchdog {
  const controller = new AbortController();
  const start = () => setTimeout(() => controller.abort(), timeoutMs);
  let timer = start();
  const stop = () => clearTimeout(timer);
  const reset = () => {
    stop();
    timer = start();
  };
  return { signal: controller.signal, reset, stop };
}

/** Yields the events of one response until it ends; calls `onChunk` for whatever comes, comment lines too. */
export async function* readEvents(
  body: ReadableStream<Uint8Array>,
  onChunk: () => void = () => undefined,
): AsyncGenerator<LiveEvent> {
  const reader = body
    .pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)
    .getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    onChunk();
    const parsed = parseEvents((text + value).replaceAll("\r\n", "\n"));
    text = parsed.rest;
    yield* parsed.events;
  }
}

/** The delay in ms before the n-th attempt to connect again: grows to 15 s, with jitter. */
export function reconnectDelay(attempt: number, random: () => number = Math.random): number {
  return Math.min(15_000, 500 * 2 ** attempt) * (0.5 + random() / 2);
}
