// Says that the hub did not take a sign-out: the person is still signed in, whatever they pressed.
import { useSession } from "../auth/session";
import ui from "../ui/ui.module.css";
import { Warning } from "../ui/Warning";
import styles from "./Frame.module.css";

export function SignOutFailed() {
  const { signOutState, signOut } = useSession();
  if (signOutState === null) return null;
  return (
    <div className={styles.signOut} role="alert">
      {signOutState === "pending" ? (
        "Signing out"
      ) : (
        <>
          <Warning>You are still signed in on this device: the hub did not take your sign-out.</Warning>
          <button type="button" className={ui.button} onClick={() => void signOut()}>
            Sign out again
          </button>
        </>
      )}
    </div>
  );
}
