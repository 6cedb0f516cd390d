// "Show proof": the link from a figure to the reading that it rests on.
import { Link } from "@tanstack/react-router";
import ui from "./ui.module.css";

type Props = {
  readingId: string | null | undefined;
  /** What the proof is of, for those who hear the link without its surroundings. */
  of: string;
  /** The interval that is meant, when the reading stands on the boundary of two. */
  interval?: string | undefined;
  /** The interval's revision that is meant; without it, the first that was computed from the reading. */
  revision?: number | undefined;
  children?: string;
};

export function ProofLink({ readingId, of, interval, revision, children = "Show proof" }: Props) {
  if (!readingId) return null;
  return (
    <Link
      to="/proof/$readingId"
      params={{ readingId }}
      search={{ ...(interval ? { interval } : {}), ...(revision ? { revision } : {}) }}
      className={ui.proofLink}
    >
      {children}
      <span className="pw-visually-hidden"> of {of}</span>
    </Link>
  );
}
