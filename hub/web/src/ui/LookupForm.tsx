// A field that takes an identifier, with a button that opens what it names.
import { type FormEvent, useId, useState } from "react";
import ui from "./ui.module.css";

type Props = {
  label: string;
  placeholder?: string;
  button: string;
  /** What is said when the text is no identifier. */
  hint: string;
  /** Opens what the text names; false when it is no identifier. */
  onSubmit: (text: string) => boolean;
  /** Whether the field takes the whole width of a phone, with the button below it. */
  wide?: boolean;
};

export function LookupForm({ label, placeholder, button, hint, onSubmit, wide = false }: Props) {
  const id = useId();
  const [invalid, setInvalid] = useState(false);

  function submit(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault();
    setInvalid(!onSubmit(String(new FormData(event.currentTarget).get("text")).trim()));
  }

  return (
    <form onSubmit={submit} noValidate>
      <label htmlFor={id} className={ui.label}>
        {label}
      </label>
      <div className={ui.lookup} data-wide={wide}>
        <input
          id={id}
          name="text"
          autoComplete="off"
          spellCheck={false}
          placeholder={placeholder}
          aria-invalid={invalid}
          aria-describedby={`${id}-error`}
          onChange={() => setInvalid(false)}
        />
        <button type="submit" className={ui.button}>
          {button}
        </button>
      </div>
      <p id={`${id}-error`} className={ui.fieldError} role="alert">
        {invalid ? hint : ""}
      </p>
    </form>
  );
}
