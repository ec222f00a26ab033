/** The page's start: puts the parts together and draws the app. */
import { createRoot } from "react-dom/client";
import { createApi } from "@skat/client";
import { createAccountStore } from "./account-store.ts";
import { createAccounts } from "./accounts.ts";
import { registerServiceWorker } from "./service-worker.ts";
import { createSessions } from "./session.ts";
import { App } from "./ui/app.tsx";
import "./styles/index.css";

const sessions = createSessions(createApi(""), createAccounts(), createAccountStore(localStorage));
const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no #root.");
createRoot(root).render(<App sessions={sessions} initial={sessions.resume()} />);
registerServiceWorker();
