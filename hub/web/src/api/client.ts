// The typed client: sends the access token, refreshes it once when it has run out, turns refusals into Problems.
import createClient from "openapi-fetch";
import { toProblem } from "./problem";
import type { paths } from "./schema";

/** A hub that takes a request and never answers must not look like one that works. */
const TIMEOUT_MS = 15_000;

let accessToken: string | null = null;
let refreshing: Promise<boolean> | null = null;

/** The access token lives in memory only: a reload asks for a new one with the refresh cookie. */
export function setAccessToken(token: string | null): void {
  accessToken = token;
}

export function getAccessToken(): string | null {
  return accessToken;
}

let notifySessionEnd: () => void = () => undefined;

/** Sets who is told when the hub does not know this browser's session any more. */
export function onSessionEnd(listener: () => void): void {
  notifySessionEnd = listener;
}

const fetchInTime = (request: Request): Promise<Response> =>
  fetch(request, { signal: AbortSignal.any([request.signal, AbortSignal.timeout(TIMEOUT_MS)]) });

/** Gets a new access token; false when the session is over. Throws when the hub can not say so. */
async function refresh(): Promise<boolean> {
  const response = await fetch("/api/v1/auth/refresh", {
    method: "POST",
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (response.status === 401 || response.status === 403) {
    setAccessToken(null);
    notifySessionEnd();
    return false;
  }
  if (!response.ok) throw toProblem(response.status, await response.json().catch(() => null));
  setAccessToken(((await response.json()) as { access_token: string }).access_token);
  return true;
}

/** Refreshes the token; callers at the same time share one request, so that the cookie rotates once. */
export function refreshOnce(): Promise<boolean> {
  refreshing ??= refresh().finally(() => {
    refreshing = null;
  });
  return refreshing;
}

async function fetchAuthorized(request: Request): Promise<Response> {
  const retry = request.clone();
  if (accessToken) request.headers.set("Authorization", `Bearer ${accessToken}`);
  const response = await fetchInTime(request);
  if (response.status !== 401 || !accessToken || !(await refreshOnce())) return response;
  retry.headers.set("Authorization", `Bearer ${accessToken}`);
  return fetchInTime(retry);
}

export const api = createClient<paths>({ baseUrl: window.location.origin, fetch: fetchAuthorized });

type Answer<T> = { data?: T; error?: unknown; response: Response };

/** The data of an answer. Throws the Problem that it was refused with. */
export async function unwrap<T>(answer: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await answer;
  if (!response.ok || data === undefined) throw toProblem(response.status, error);
  return data;
}
