/** What SST deploys: the app's name, its providers and what becomes of its resources. The stack itself is in `infra/`. */
export default $config({
  app(input) {
    const isProduction = input.stage === "production";
    return {
      name: "skat",
      home: "aws",
      version: "4.17.1",
      removal: isProduction ? "retain" : "remove",
      protect: isProduction,
      providers: { aws: "7.20.0", aiven: "6.51.0" },
      state: { purge: !isProduction },
    };
  },
  async run() {
    const { stack } = await import("./infra/main.ts");
    return stack();
  },
});
