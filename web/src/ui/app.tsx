/** Signed in or not: the sign-in form or the chat. */
import { useState } from "react";
import type { Account, Api, Client } from "@skat/client";
import { ChatPage } from "./chat-page.tsx";
import { SignIn } from "./sign-in.tsx";

export interface AppProps {
  readonly api: Api;
  readonly initialChat: Client | undefined;
  readonly startChat: (account: Account) => Client;
  readonly onSignOut: () => void;
}

export function App({ api, initialChat, startChat, onSignOut }: AppProps) {
  const [chat, setChat] = useState(initialChat);
  if (chat === undefined) return <SignIn api={api} onAccount={(account) => setChat(startChat(account))} />;
  const signOut = () => {
    chat.close();
    onSignOut();
    setChat(undefined);
  };
  return <ChatPage chat={chat} onSignOut={signOut} />;
}
