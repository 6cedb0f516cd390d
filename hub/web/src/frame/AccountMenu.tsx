// Who is signed in, dark or light, and the way out.
import { Menu, UnstyledButton, useComputedColorScheme, useMantineColorScheme } from "@mantine/core";
import { useSession } from "../auth/session";

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
  const { setColorScheme } = useMantineColorScheme();
  const scheme = useComputedColorScheme("light");
  if (!user) return null;
  const other = scheme === "dark" ? "light" : "dark";
  return (
    <Menu position="bottom-end" width={220}>
      <Menu.Target>
        <UnstyledButton
          style={{
            width: 40,
            height: 40,
            borderRadius: "50%",
            textAlign: "center",
            fontWeight: 650,
            fontSize: "var(--pw-small)",
            border: "1px solid var(--pw-line)",
          }}
        >
          {initials(user.display_name)}
          <span className="pw-visually-hidden">, {user.display_name}: account menu</span>
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          {user.display_name}, {user.affiliation ?? user.role}
        </Menu.Label>
        <Menu.Item onClick={() => setColorScheme(other)}>
          {other === "dark" ? "Dark" : "Light"} appearance
        </Menu.Item>
        <Menu.Item onClick={() => void signOut()}>Sign out</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
