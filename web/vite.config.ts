/** Builds the page into `web/dist` with hashed file names, compressed ahead; in development passes API and socket on to the node. */
import { join } from "node:path";
import react from "@vitejs/plugin-react";
import { defineConfig, loadEnv } from "vite";
import { compressAhead } from "./compress.ts";

export default defineConfig(({ mode }) => {
  const { PORT = "3000" } = loadEnv(mode, import.meta.dirname, "PORT");
  const node = `http://127.0.0.1:${PORT}`;
  return {
    root: import.meta.dirname,
    plugins: [react(), compressAhead(join(import.meta.dirname, "dist"))],
    build: { outDir: "dist", emptyOutDir: true, target: "es2022" },
    server: { host: "127.0.0.1", proxy: { "/api": node, "/ws": { target: node, ws: true } } },
  };
});
