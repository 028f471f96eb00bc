import { defineConfig } from "vitest/config";

export default defineConfig({
  // No test waits for time, but on a busy machine the first of a file may take more than the usual 5 s.
  test: { include: ["tests/**/*.test.ts"], environment: "node", testTimeout: 60_000 },
});
