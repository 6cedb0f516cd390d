// Mantine, told to use our tokens.
import { type CSSVariablesResolver, createTheme } from "@mantine/core";

export const theme = createTheme({
  fontFamily: "var(--pw-font)",
  defaultRadius: "md",
  primaryColor: "green",
  primaryShade: { light: 9, dark: 9 },
  headings: { fontFamily: "var(--pw-font)", fontWeight: "650" },
  respectReducedMotion: true,
});

export const resolver: CSSVariablesResolver = () => {
  const shared = { "--mantine-color-body": "var(--pw-ground)", "--mantine-color-text": "var(--pw-ink)" };
  return { variables: {}, light: shared, dark: shared };
};
