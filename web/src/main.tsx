/** The page's start: puts the client together and draws the app. */
import { createRoot } from "react-dom/client";
import { createApi, createClient, type Account, type Client } from "@skat/client";
import { createAccountStore } from "./account-store.ts";
import { App } from "./ui/app.tsx";
import "./style.css";

const accountStore = createAccountStore(localStorage);
const api = createApi("");

/** A guest whose token is no longer taken comes back as a new guest of the same name. */
function startChat(account: Account): Client {
  let { token } = account;
  accountStore.save(account);
  const renew = async (): Promise<string> => {
    const renewed = await api.guest(account.user.name);
    accountStore.save(renewed);
    token = renewed.token;
    return token;
  };
  return createClient({
    url: location.origin,
    user: account.user,
    token: (reason) => (reason === "refused" ? renew() : token),
  }).connect();
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
