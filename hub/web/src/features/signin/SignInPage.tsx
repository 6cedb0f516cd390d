// The way in: e-mail and password, with errors that say what to do.
import { Alert, Button, Paper, PasswordInput, Stack, TextInput, Title } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { Problem } from "../../api/problem";
import { useSession } from "../../auth/session";
import { useTitle } from "../../lib/useTitle";

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
    <main style={{ display: "grid", placeItems: "center", minHeight: "100dvh", padding: 16 }}>
      <Paper
        withBorder
        p="xl"
        radius="lg"
        style={{ width: "min(400px, 100%)", background: "var(--pw-card)" }}
      >
        <form onSubmit={(event) => void submit(event)}>
          <Stack gap="md">
            <div>
              <Title order={1} size="h2" c="var(--pw-brand)">
                Peerwatt
              </Title>
              <p style={{ margin: "4px 0 0", color: "var(--pw-quiet)" }}>
                The campus trades its own solar power. You can check every number.
              </p>
            </div>
            {refusal ? (
              <Alert color="red" variant="light" role="alert">
                {refusal}
              </Alert>
            ) : null}
            <TextInput name="email" type="email" label="E-mail" autoComplete="username" required autoFocus />
            <PasswordInput name="password" label="Password" autoComplete="current-password" required />
            <Button type="submit" loading={busy} size="md" color="var(--pw-action)" c="var(--pw-on-action)">
              Sign in
            </Button>
          </Stack>
        </form>
      </Paper>
    </main>
  );
}
