// Keeps one live stream open while somebody is signed in, and refreshes what its events make stale.
import { useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, useContext, useEffect, useState } from "react";
import { getAccessToken, refreshOnce } from "../api/client";
import { hubNow } from "../lib/serverClock";
import { type LiveEvent, pause, readEvents, whileHeard } from "./stream";

export type Connection = { state: "connecting" | "live" | "reconnecting" | "offline"; since: Date };

/** Which queries an event makes stale; `reset` says that too many events were missed. */
const STALE: Record<string, readonly string[]> = {
  reading: ["today", "meters"],
  interval: ["today", "bill-lines"],
  clearing: ["today", "trades", "bill-lines"],
  settlement: ["today", "trades", "trade"],
  reconciled: ["today", "trades", "trade", "bill-lines", "proof", "totals"],
  reset: ["today", "meters", "trades", "trade", "bill-lines", "proof", "totals"],
};

/** Events come in bursts, one per meter: what they make stale is asked for once. */
const GATHER_MS = 150;

/** The hub sends a comment line every 15 s: after more than two without one, nobody is there. */
const SILENCE_MS = 40_000;

export type Clearing = { start_at: string; end_at: string; price_mills: number | null; volume_wh: number };

const Context = createContext<{ connection: Connection; clearing: Clearing | null }>({
  connection: { state: "connecting", since: hubNow() },
  clearing: null,
});

async function openStream(lastId: string, signal: AbortSignal): Promise<Response> {
  const headers: Record<string, string> = { Accept: "text/event-stream" };
  const token = getAccessToken();
  if (token) headers.Authorization = `Bearer ${token}`;
  if (lastId) headers["Last-Event-ID"] = lastId;
  return fetch("/api/v1/live", { headers, signal });
}

/** Waits, but no longer than until the device is back on the network. */
function wait(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    const now = () => {
      clearTimeout(timer);
      resolve();
    };
    signal.addEventListener("abort", now, { once: true });
    window.addEventListener("online", now, { once: true });
  });
}

/** A signal for one stream: ends with the page's, or when the device leaves the network. */
function whileOnline(signal: AbortSignal): AbortSignal {
  const cut = new AbortController();
  window.addEventListener("offline", () => cut.abort(), { once: true, signal });
  return AbortSignal.any([signal, cut.signal]);
}

export function LiveProvider({ children }: { children: ReactNode }) {
  const queries = useQueryClient();
  const [connection, setConnection] = useState<Connection>({ state: "connecting", since: hubNow() });
  const [clearing, setClearing] = useState<Clearing | null>(null);

  useEffect(() => {
    const abort = new AbortController();
    const enter = (state: Connection["state"]) =>
      setConnection((old) => (old.state === state ? old : { state, since: hubNow() }));

    const stale = new Set<string>();
    let gathering: ReturnType<typeof setTimeout> | undefined;
    const refresh = () => {
      gathering = undefined;
      for (const key of stale) void queries.invalidateQueries({ queryKey: [key] });
      stale.clear();
    };
    const note = (event: LiveEvent) => {
      if (event.topic === "clearing") setClearing(event.data as Clearing);
      for (const key of STALE[event.topic] ?? []) stale.add(key);
      if (stale.size > 0) gathering ??= setTimeout(refresh, GATHER_MS);
    };

    async function listen(lastId: { value: string }, line: ReturnType<typeof whileHeard>): Promise<void> {
      const signal = AbortSignal.any([whileOnline(abort.signal), line.signal]);
      let answer = await openStream(lastId.value, signal);
      // A stream ends with its access token: the next one begins with a new token
      if (answer.status === 401 && (await refreshOnce())) answer = await openStream(lastId.value, signal);
      if (!answer.ok || !answer.body) throw new Error(`live stream: ${answer.status}`);
      enter("live");
      for await (const event of readEvents(answer.body, line.heard)) {
        if (event.id) lastId.value = event.id;
        note(event);
      }
    }

    async function run(): Promise<void> {
      const lastId = { value: "" };
      for (let failures = 0; !abort.signal.aborted; ) {
        const line = whileHeard(SILENCE_MS);
        failures = await listen(lastId, line).then(
          () => 0,
          () => failures + 1,
        );
        line.end();
        if (abort.signal.aborted) return;
        if (failures > 0) enter(navigator.onLine ? "reconnecting" : "offline");
        await wait(pause(failures), abort.signal);
      }
    }

    void run();
    return () => {
      clearTimeout(gathering);
      abort.abort();
    };
  }, [queries]);

  return <Context.Provider value={{ connection, clearing }}>{children}</Context.Provider>;
}

export const useLive = () => useContext(Context);
