// Keeps one live stream open while somebody is signed in, and refreshes what its events make stale.
import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, useContext, useEffect, useState } from "react";
import { getAccessToken, refreshOnce } from "../api/client";
import { hubNow } from "../lib/serverClock";
import { type LiveEvent, readEvents, reconnectDelay, startWatchdog, type Watchdog } from "./stream";

export type Connection = { state: "connecting" | "live" | "reconnecting" | "offline"; since: Date };

/** The keys of the queries that an event makes stale; `reset` says that too many events were missed. */
const STALE_KEYS: Record<string, readonly string[]> = {
  reading: ["today", "meters"],
  interval: ["today", "bill-lines", "bill-corrections", "proof"],
  clearing: ["today", "trades", "bill-lines"],
  settlement: ["today", "trades", "trade"],
  reconciled: ["today", "trades", "trade", "bill-lines", "proof", "totals"],
  reset: ["today", "meters", "trades", "trade", "bill-lines", "bill-corrections", "proof", "totals"],
};

/** Events come in bursts, one per meter: what they make stale is asked for once. */
const BATCH_MS = 150;

/** The hub sends a comment line every 15 s: after more than two without one the connection is dead. */
const SILENCE_MS = 40_000;

export type Clearing = { start_at: string; end_at: string; price_mills: number | null; volume_wh: number };

const Context = createContext<{ connection: Connection; clearing: Clearing | null }>({
  connection: { state: "connecting", since: hubNow() },
  clearing: null,
});

async function openStream(lastEventId: string, signal: AbortSignal): Promise<Response> {
  const headers: Record<string, string> = { Accept: "text/event-stream" };
  const token = getAccessToken();
  if (token) headers.Authorization = `Bearer ${token}`;
  if (lastEventId) headers["Last-Event-ID"] = lastEventId;
  return fetch("/api/v1/live", { headers, signal });
}

/** Waits, but no longer than until the device is back on the network. */
function sleepUntilOnline(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    const wake = () => {
      clearTimeout(timer);
      resolve();
    };
    signal.addEventListener("abort", wake, { once: true });
    window.addEventListener("online", wake, { once: true });
  });
}

/** A signal that aborts with `signal`, and when the device leaves the network. */
function abortWhenOffline(signal: AbortSignal): AbortSignal {
  const controller = new AbortController();
  window.addEventListener("offline", () => controller.abort(), { once: true, signal });
  return AbortSignal.any([signal, controller.signal]);
}

/** Refreshes the queries that events make stale, a batch at a time. */
function createInvalidator(queries: QueryClient): { add: (topic: string) => void; stop: () => void } {
  const keys = new Set<string>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const flush = () => {
    timer = undefined;
    for (const key of keys) void queries.invalidateQueries({ queryKey: [key] });
    keys.clear();
  };
  return {
    add: (topic) => {
      for (const key of STALE_KEYS[topic] ?? []) keys.add(key);
      if (keys.size > 0) timer ??= setTimeout(flush, BATCH_MS);
    },
    stop: () => clearTimeout(timer),
  };
}

type Listener = { onOpen: () => void; onEvent: (event: LiveEvent) => void; onLost: () => void };

/** Reads the stream until `signal` aborts; reconnects from the last event whenever it ends. */
async function listen({ onOpen, onEvent, onLost }: Listener, signal: AbortSignal): Promise<void> {
  let lastEventId = "";

  async function readStream(watchdog: Watchdog): Promise<void> {
    const stop = AbortSignal.any([abortWhenOffline(signal), watchdog.signal]);
    let response = await openStream(lastEventId, stop);
    // A stream ends with its access token: the next one begins with a new token
    if (response.status === 401 && (await refreshOnce())) response = await openStream(lastEventId, stop);
    if (!response.ok || !response.body) throw new Error(`live stream: ${response.status}`);
    onOpen();
    for await (const event of readEvents(response.body, watchdog.reset)) {
      if (event.id) lastEventId = event.id;
      onEvent(event);
    }
  }

  for (let failures = 0; !signal.aborted; ) {
    const watchdog = startWatchdog(SILENCE_MS);
    failures = await readStream(watchdog).then(
      () => 0,
      () => failures + 1,
    );
    watchdog.stop();
    if (signal.aborted) return;
    if (failures > 0) onLost();
    await sleepUntilOnline(reconnectDelay(failures), signal);
  }
}

export function LiveProvider({ children }: { children: ReactNode }) {
  const queries = useQueryClient();
  const [connection, setConnection] = useState<Connection>({ state: "connecting", since: hubNow() });
  const [clearing, setClearing] = useState<Clearing | null>(null);

  useEffect(() => {
    const controller = new AbortController();
    const invalidator = createInvalidator(queries);
    const enter = (state: Connection["state"]) =>
      setConnection((old) => (old.state === state ? old : { state, since: hubNow() }));
    const listener: Listener = {
      onOpen: () => enter("live"),
      onEvent: (event) => {
        if (event.topic === "clearing") setClearing(event.data as Clearing);
        invalidator.add(event.topic);
      },
      onLost: () => enter(navigator.onLine ? "reconnecting" : "offline"),
    };
    void listen(listener, controller.signal);
    return () => {
      invalidator.stop();
      controller.abort();
    };
  }, [queries]);

  return <Context.Provider value={{ connection, clearing }}>{children}</Context.Provider>;
}

export const useLive = () => useContext(Context);
