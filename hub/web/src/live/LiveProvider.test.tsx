import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, cleanup, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { LiveProvider, useLive } from "./LiveProvider";

/** The hub's end of the newest stream; a stream ends when its reader gives up. */
let hubStream: ReadableStreamDefaultController<Uint8Array>;
let streamCount = 0;

function fetchStream(_: unknown, { signal }: RequestInit): Promise<Response> {
  streamCount += 1;
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      hubStream = controller;
      signal?.addEventListener("abort", () => controller.error(signal.reason));
    },
  });
  return Promise.resolve(new Response(body));
}

const send = (text: string) => act(async () => hubStream.enqueue(new TextEncoder().encode(text)));
const advance = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms));

function LiveState() {
  const { connection, clearing } = useLive();
  return (
    <p data-testid="live">
      {connection.state} {clearing?.volume_wh}
    </p>
  );
}

const shown = () => screen.getByTestId("live").textContent;

beforeEach(async () => {
  streamCount = 0;
  vi.useFakeTimers();
  vi.stubGlobal("fetch", fetchStream);
  render(
    <QueryClientProvider client={new QueryClient()}>
      <LiveProvider>
        <LiveState />
      </LiveProvider>
    </QueryClientProvider>,
  );
  await advance(0);
});

afterEach(() => {
  cleanup();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("a stream that is silent for longer than two comment lines is not live, and is streamCount again", async () => {
  await advance(39_000);
  expect(shown()).toBe("live ");
  await send(": still here\n\n");
  await advance(39_000);
  expect(shown()).toBe("live ");
  await advance(1_001);
  expect(shown()).toBe("reconnecting ");
  await advance(15_000);
  expect(shown()).toBe("live ");
  expect(streamCount).toBe(2);
});

test("the last clearing stays although other events follow", async () => {
  await send('id: 1\nevent: clearing\ndata: {"volume_wh":900}\n\nid: 2\nevent: interval\ndata: {}\n\n');
  await advance(0);
  expect(shown()).toBe("live 900");
});
