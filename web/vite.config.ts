/** Builds the page into `web/dist` with hashed file names, compressed ahead; in development passes API and socket on to the node. */
import { join } from "node:path";
import react from "@vitejs/plugin-react";
import { defineConfig, loadEnv } from "vite";
import { compressAhead } from "./compress.ts";

const WORKER = "sw";

export default defineConfig(({ mode }) => {
  const root = import.meta.dirname;
  const { PORT = "3000" } = loadEnv(mode, root, "PORT");
  const node = `http://127.0.0.1:${PORT}`;
  return {
    root,
    plugins: [react(), compressAhead(join(root, "dist"))],
    build: {
      outDir: "dist",
      emptyOutDir: true,
      target: "es2022",
      rolldownOptions: {
        input: { index: join(root, "index.html"), [WORKER]: join(root, "worker/sw.ts") },
        output: {
          // Browsers know a service worker by its address, which therefore stays the same.
          entryFileNames: ({ name }) => (name === WORKER ? "[name].js" : "assets/[name]-[hash].js"),
        },
      },
    },
    server: { host: "127.0.0.1", proxy: { "/api": node, "/ws": { target: node, ws: true } } },
  };
});
