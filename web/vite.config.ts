import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { precompress } from "./build/precompress.ts";

/** Where `vite dev` finds a socket-server. */
const DEVELOPMENT_SERVER = process.env.METRIC_FLOW_SERVER ?? "http://127.0.0.1:8000";

export default defineConfig({
  plugins: [react(), precompress()],
  // Inlined assets would need `data:` in the content security policy.
  build: {
    target: "es2023",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: { proxy: { "/api": { target: DEVELOPMENT_SERVER, ws: true } } },
});
