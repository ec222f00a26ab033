/** A labelled line of a form. */
import { useId, type InputHTMLAttributes } from "react";

export interface FieldProps extends Omit<InputHTMLAttributes<HTMLInputElement>, "onChange" | "id"> {
  readonly label: string;
  readonly hint?: string;
  readonly onText: (text: string) => void;
}

export function Field({ label, hint, onText, ...rest }: FieldProps) {
  const id = useId();
  return (
    <p className="field">
      <label htmlFor={id}>{label}</label>
      <input
        {...rest}
        id={id}
        dir="auto"
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
        onChange={({ target }) => onText(target.value)}
      />
      {hint !== undefined && (
        <span id={`${id}-hint`} className="hint">
          {hint}
        </span>
      )}
    </p>
  );
}
