/** The side panel on narrow screens: a modal dialog, so that the browser keeps the focus inside and closes it on Escape. */
import { useEffect, useRef, type ReactNode } from "react";
import { texts } from "../texts.ts";
import { CloseIcon } from "./icons.tsx";

export interface DrawerProps {
  readonly isOpen: boolean;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

export function Drawer({ isOpen, onClose, children }: DrawerProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (isOpen) dialog.current?.showModal();
    else dialog.current?.close();
  }, [isOpen]);
  return (
    <dialog
      ref={dialog}
      className="drawer"
      aria-label={texts.rooms.title}
      onClose={onClose}
      onClick={({ target }) => target === dialog.current && onClose()}
    >
      {isOpen && (
        <div className="drawer-content">
          <button className="drawer-close" aria-label={texts.rooms.close} onClick={onClose}>
            <CloseIcon />
          </button>
          {children}
        </div>
      )}
    </dialog>
  );
}
