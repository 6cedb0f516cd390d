// A refusal of the hub: problem+json (RFC 9457), as an error whose message is written for people.

export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

type Body = { title?: unknown; detail?: unknown; code?: unknown };

/** Reads a refusal; a body that is not a problem still gives a sentence a person can use. */
export function toProblem(status: number, body: unknown): Problem {
  const problem: Body = typeof body === "object" && body !== null ? body : {};
  const message = [problem.detail, problem.title].find((text) => typeof text === "string" && text !== "");
  const fallback =
    status >= 500 ? "The hub has a problem of its own. Try again in a minute." : `Refused (${status}).`;
  return new Problem(
    status,
    typeof problem.code === "string" ? problem.code : "unknown",
    typeof message === "string" ? message : fallback,
  );
}
