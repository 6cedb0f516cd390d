// A field for an address or a signature, which leads to its page.
import { useNavigate } from "@tanstack/react-router";
import { LookupForm } from "../../../ui/LookupForm";
import { ADDRESS, SIGNATURE } from "../queries";

export function ChainLookup() {
  const navigate = useNavigate();
  function open(text: string): boolean {
    if (SIGNATURE.test(text)) void navigate({ to: "/chain/tx/$signature", params: { signature: text } });
    else if (ADDRESS.test(text)) void navigate({ to: "/chain/$address", params: { address: text } });
    else return false;
    return true;
  }
  return (
    <LookupForm
      label="Address or signature"
      button="Look it up"
      hint="An address has 32 to 44 letters and digits, a signature 64 to 88 (no 0, O, I or l). Copy it whole."
      onSubmit={open}
      wide
    />
  );
}
