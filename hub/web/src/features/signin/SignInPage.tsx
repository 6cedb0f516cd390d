// The sign-in page: e-mail and password, with errors that say what to do.
import { type FormEvent, type InputHTMLAttributes, useId, useState } from "react";
import { Problem } from "../../api/problem";
import { useSession } from "../../auth/session";
import { useTitle } from "../../lib/useTitle";
import styles from "./styles.module.css";

type FieldProps = InputHTMLAttributes<HTMLInputElement> & { label: string };

function Field({ label, children, ...input }: FieldProps) {
  const id = useId();
  return (
    <div className={styles.field}>
      <label htmlFor={id}>
        {label}
        <span aria-hidden="true"> *</span>
      </label>
      <div className={styles.box}>
        <input id={id} required {...input} />
        {children}
      </div>
    </div>
  );
}

function PasswordField() {
  const [visible, setVisible] = useState(false);
  return (
    <Field
      name="password"
      type={visible ? "text" : "password"}
      label="Password"
      autoComplete="current-password"
    >
      <button
        type="button"
        className={styles.reveal}
        tabIndex={-1}
        aria-pressed={visible}
        aria-label="Toggle password visibility"
        onClick={() => setVisible(!visible)}
      >
        <svg viewBox="0 0 24 24" width="20" height="20" aria-hidden="true">
          <path d="M1.5 12S4.5 5.2 12 5.2 22.5 12 22.5 12 19.5 18.8 12 18.8 1.5 12 1.5 12Z" />
          <circle cx="12" cy="12" r="3.7" />
          {visible ? <path d="m4.5 3.8 15 16.4" /> : null}
        </svg>
      </button>
    </Field>
  );
}

export function SignInPage() {
  useTitle("Sign in");
  const { signIn } = useSession();
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<string | null>(null);

  async function submit(event: FormEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    setBusy(true);
    setRefusal(null);
    try {
      await signIn(String(form.get("email")), String(form.get("password")));
    } catch (error) {
      setRefusal(
        error instanceof Problem ? error.message : "The hub does not answer. Check your connection.",
      );
      setBusy(false);
    }
  }

  return (
    <main className={styles.page}>
      <form className={styles.form} onSubmit={(event) => void submit(event)}>
        <header>
          <h1>Peerwatt</h1>
          <p>The campus trades its own solar power. You can check every number.</p>
        </header>
        {refusal ? (
          <p className={styles.refusal} role="alert">
            {refusal}
          </p>
        ) : null}
        <Field name="email" type="email" label="E-mail" autoComplete="username" autoFocus />
        <PasswordField />
        <button type="submit" className={styles.submit} disabled={busy}>
          {busy ? "Signing in" : "Sign in"}
        </button>
      </form>
    </main>
  );
}
