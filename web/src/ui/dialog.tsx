/** A modal dialog by the browser's own means: it keeps the focus inside, closes on Escape, and gives the focus back. */
import { useEffect, useRef, type ReactNode } from "react";
import { texts } from "../texts.ts";
import { CloseIcon } from "./icons.tsx";

export interface DialogProps {
  readonly title: string;
  /** Where it stands: in the middle, or as a panel at the start or end of the page. */
  readonly place: "middle" | "start" | "end";
  readonly isTitleHidden?: boolean;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

export function Dialog({ title, place, isTitleHidden = false, onClose, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const element = dialog.current;
    const opener = document.activeElement;
    if (element !== null && !element.open) {
      element.showModal();
      // The browser would take the first thing that can have it, which is Close; React's autoFocus comes before it is open.
      element.querySelector("input")?.focus();
    }
    const stopKeeping = keepFocusIn(element);
    return () => {
      stopKeeping();
      element?.close();
      if (opener instanceof HTMLElement && opener.isConnected) opener.focus();
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      tabIndex={-1}
      className={`dialog is-${place}`}
      aria-label={title}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={({ target }) => target === dialog.current && onClose()}
    >
      <div className="dialog-content">
        <header className="dialog-head">
          <h2 className={isTitleHidden ? "visually-hidden" : ""}>
            <bdi>{title}</bdi>
          </h2>
          <button className="bare" aria-label={texts.close} onClick={onClose}>
            <CloseIcon />
          </button>
        </header>
        {children}
      </div>
    </dialog>
  );
}

/** Where what had the focus goes away, as the row of somebody who was removed, the dialog takes it. */
function keepFocusIn(element: HTMLElement | null): () => void {
  const observer = new MutationObserver(() => {
    if (document.activeElement === document.body) element?.focus();
  });
  if (element !== null) observer.observe(element, { childList: true, subtree: true });
  return () => observer.disconnect();
}
