// A field for a reading id, which leads to its proof.
import { useNavigate } from "@tanstack/react-router";
import { LookupForm } from "../../../ui/LookupForm";
import { READING_ID } from "../queries";

export function ReadingLookup() {
  const navigate = useNavigate();
  function open(text: string): boolean {
    const readingId = text.toLowerCase();
    if (!READING_ID.test(readingId)) return false;
    void navigate({ to: "/proof/$readingId", params: { readingId }, search: {} });
    return true;
  }
  return (
    <LookupForm
      label="Reading id"
      placeholder="64 letters and digits"
      button="Check it"
      hint="A reading id has 64 letters and digits (0–9, a–f). Copy it whole."
      onSubmit={open}
    />
  );
}
