/** Signed in or not: the sign-in form or the chat. */
import { useState } from "react";
import type { Account, Api } from "../client/api.ts";
import type { Chat } from "../client/chat.ts";
import { ChatPage } from "./chat-page.tsx";
import { SignIn } from "./sign-in.tsx";

export interface AppProps {
  readonly api: Api;
  readonly initialChat: Chat | undefined;
  readonly startChat: (account: Account) => Chat;
  readonly onSignOut: () => void;
}

export function App({ api, initialChat, startChat, onSignOut }: AppProps) {
  const [chat, setChat] = useState(initialChat);
  if (chat === undefined) return <SignIn api={api} onAccount={(account) => setChat(startChat(account))} />;
  const signOut = () => {
    chat.stop();
    onSignOut();
    setChat(undefined);
  };
  return <ChatPage chat={chat} api={api} onSignOut={signOut} />;
}
