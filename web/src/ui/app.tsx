/** Signed in or not: the sign-in form or the chat. */
import { useState } from "react";
import type { Session, Sessions } from "../session.ts";
import { ChatPage } from "./chat-page.tsx";
import { SignIn } from "./sign-in.tsx";

export interface AppProps {
  readonly sessions: Sessions;
  readonly initial: Session | undefined;
}

export function App({ sessions, initial }: AppProps) {
  const [session, setSession] = useState(initial);
  if (session === undefined) return <SignIn sessions={sessions} onSession={setSession} />;
  const end = () => {
    sessions.end(session);
    setSession(undefined);
  };
  const onMember = (next: Session) => {
    session.chat.close();
    session.kept.stop();
    setSession(next);
  };
  // Another session is another page: nothing of the one before may show.
  const kind = session.guestToken() === undefined ? "member" : "guest";
  return <ChatPage key={kind} session={session} sessions={sessions} onMember={onMember} onSignOut={end} />;
}
