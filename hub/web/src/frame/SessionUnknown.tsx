// The hub does not say whether somebody is signed in: no sign-in form, because the session may well live.
import { useTitle } from "../lib/useTitle";
import { Failed } from "../ui/states";

export function SessionUnknown({ failure, retry }: { failure: unknown; retry: () => unknown }) {
  useTitle("No answer");
  return (
    <main style={{ display: "grid", placeItems: "center", minHeight: "100dvh", padding: 16 }}>
      <Failed error={failure} retry={retry} />
    </main>
  );
}
