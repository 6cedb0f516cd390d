import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { budget } from "./budget/plugin.ts";
import { compress } from "./compress.ts";

const hub = process.env.PEERWATT_HUB_ORIGIN ?? "http://127.0.0.1:8080";

export default defineConfig({
  plugins: [react(), budget(), compress()],
  build: { outDir: "../static", emptyOutDir: true, target: "es2022", assetsInlineLimit: 0 },
  server: { proxy: { "/api": hub } },
});
