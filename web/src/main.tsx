/** The page's start: puts the client together and draws the app. */
import { createRoot } from "react-dom/client";
import { createAccountStore } from "./client/account-store.ts";
import { createApi, type Account } from "./client/api.ts";
import { Chat } from "./client/chat.ts";
import { createOutboxStore } from "./client/outbox-store.ts";
import { browserPlatform } from "./client/platform-browser.ts";
import { App } from "./ui/app.tsx";
import "./style.css";

const accountStore = createAccountStore(localStorage);
const outboxStore = createOutboxStore(localStorage, window);
const api = createApi("");

function startChat(account: Account): Chat {
  accountStore.save(account);
  const chat = new Chat({
    url: `${location.origin.replace(/^http/, "ws")}/ws`,
    api,
    platform: browserPlatform,
    account,
    outboxStore,
    onAccount: (renewed) => accountStore.save(renewed),
  });
  chat.start();
  return chat;
}

const account = accountStore.load();
const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no #root.");
createRoot(root).render(
  <App
    api={api}
    initialChat={account && startChat(account)}
    startChat={startChat}
    onSignOut={() => accountStore.clear()}
  />,
);
