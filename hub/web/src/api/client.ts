// The typed client: sends the access token, renews it once when it has run out, turns refusals into Problems.
import createClient from "openapi-fetch";
import { toProblem } from "./problem";
import type { paths } from "./schema";

/** How long an answer may take: a hub that takes a request and says nothing must not look like one that works. */
const PATIENCE_MS = 15_000;

let accessToken: string | null = null;
let renewing: Promise<boolean> | null = null;

/** The access token lives in memory only: a reload asks for a new one with the refresh cookie. */
export function setAccessToken(token: string | null): void {
  accessToken = token;
}

export function getAccessToken(): string | null {
  return accessToken;
}

let onSignedOut: () => void = () => undefined;

/** Tells the listener when the hub does not know this browser's session any more. */
export function whenSignedOut(listener: () => void): void {
  onSignedOut = listener;
}

const patient = (request: Request): Promise<Response> =>
  fetch(request, { signal: AbortSignal.any([request.signal, AbortSignal.timeout(PATIENCE_MS)]) });

/** False when the session is over; a hub that can not say so is an error. */
async function renew(): Promise<boolean> {
  const answer = await fetch("/api/v1/auth/refresh", {
    method: "POST",
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  if (answer.status === 401 || answer.status === 403) {
    setAccessToken(null);
    onSignedOut();
    return false;
  }
  if (!answer.ok) throw toProblem(answer.status, await answer.json().catch(() => null));
  setAccessToken(((await answer.json()) as { access_token: string }).access_token);
  return true;
}

/** Renews the token; callers at the same time share one request, so that the cookie rotates once. */
export function renewOnce(): Promise<boolean> {
  renewing ??= renew().finally(() => {
    renewing = null;
  });
  return renewing;
}

async function authorised(request: Request): Promise<Response> {
  const spare = request.clone();
  if (accessToken) request.headers.set("Authorization", `Bearer ${accessToken}`);
  const answer = await patient(request);
  if (answer.status !== 401 || !accessToken || !(await renewOnce())) return answer;
  spare.headers.set("Authorization", `Bearer ${accessToken}`);
  return patient(spare);
}

export const api = createClient<paths>({ baseUrl: window.location.origin, fetch: authorised });

type Answer<T> = { data?: T; error?: unknown; response: Response };

/** The data of an answer, or the Problem that it was refused with. */
export async function unwrap<T>(answer: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await answer;
  if (!response.ok || data === undefined) throw toProblem(response.status, error);
  return data;
}
