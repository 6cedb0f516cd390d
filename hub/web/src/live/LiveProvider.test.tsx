import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, cleanup, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { LiveProvider, useLive } from "./LiveProvider";

/** The hub's side of the newest stream; a stream ends when its reader gives up. */
let hub: ReadableStreamDefaultController<Uint8Array>;
let opened = 0;

function answer(_: unknown, { signal }: RequestInit): Promise<Response> {
  opened += 1;
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      hub = controller;
      signal?.addEventListener("abort", () => controller.error(signal.reason));
    },
  });
  return Promise.resolve(new Response(body));
}

const say = (text: string) => act(async () => hub.enqueue(new TextEncoder().encode(text)));
const pass = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms));

function Told() {
  const { connection, clearing } = useLive();
  return (
    <p data-testid="told">
      {connection.state} {clearing?.volume_wh}
    </p>
  );
}

const told = () => screen.getByTestId("told").textContent;

beforeEach(async () => {
  opened = 0;
  vi.useFakeTimers();
  vi.stubGlobal("fetch", answer);
  render(
    <QueryClientProvider client={new QueryClient()}>
      <LiveProvider>
        <Told />
      </LiveProvider>
    </QueryClientProvider>,
  );
  await pass(0);
});

afterEach(() => {
  cleanup();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("a stream that is silent for longer than two comment lines is not live, and is opened again", async () => {
  await pass(39_000);
  expect(told()).toBe("live ");
  await say(": still here\n\n");
  await pass(39_000);
  expect(told()).toBe("live ");
  await pass(1_001);
  expect(told()).toBe("reconnecting ");
  await pass(15_000);
  expect(told()).toBe("live ");
  expect(opened).toBe(2);
});

test("the last clearing stays although other events follow", async () => {
  await say('id: 1\nevent: clearing\ndata: {"volume_wh":900}\n\nid: 2\nevent: interval\ndata: {}\n\n');
  await pass(0);
  expect(told()).toBe("live 900");
});
