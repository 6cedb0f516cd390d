// The menu of who is signed in: dark or light, and signing out.
import { useSession } from "../auth/session";
import { setColorScheme, useColorScheme } from "../theme/colorScheme";
import { Menu } from "../ui/Menu";

function initials(name: string): string {
  return name
    .split(/\s+/)
    .slice(0, 2)
    .map((word) => word[0] ?? "")
    .join("")
    .toUpperCase();
}

export function AccountMenu() {
  const { user, signOut } = useSession();
  const other = useColorScheme() === "dark" ? "light" : "dark";
  if (!user) return null;
  return (
    <Menu
      button={
        <>
          {initials(user.display_name)}
          <span className="pw-visually-hidden">, {user.display_name}: account menu</span>
        </>
      }
      heading={`${user.display_name}, ${user.affiliation ?? user.role}`}
      items={[
        {
          label: other === "dark" ? "Dark appearance" : "Light appearance",
          onSelect: () => setColorScheme(other),
        },
        { label: "Sign out", onSelect: () => void signOut() },
      ]}
    />
  );
}
