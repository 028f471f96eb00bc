import { type FormEvent, useState } from "react";
import { type ApiError, asApiError } from "../api/errors";

/** A form that is sent once at a time and keeps what the server said against it. */
export function useForm(send: (data: FormData) => Promise<void>) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const onSubmit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setError(null);
    try {
      await send(new FormData(event.currentTarget));
    } catch (cause) {
      setError(asApiError(cause));
    } finally {
      setBusy(false);
    }
  };
  return { busy, error, onSubmit: (event: FormEvent<HTMLFormElement>) => void onSubmit(event) };
}

export const textOf = (data: FormData, name: string): string => String(data.get(name) ?? "");
