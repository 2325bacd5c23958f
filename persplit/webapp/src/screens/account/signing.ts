/** What people fill in to sign up, to sign in, or to come as a guest, and what is wrong with it. */

import { vpaFault, type VpaFault } from "./vpa.ts";

export const NAME_LENGTH_MAX = 100;
export const PASSWORD_LENGTH_MIN = 8;
export const PASSWORD_LENGTH_MAX = 128;
export const EMAIL_LENGTH_MAX = 254;
export const VPA_LENGTH_MAX = 255;

const EMAIL = /^[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+$/u;
const PHONE = /^\+?[0-9][0-9 ()-]{4,22}[0-9]$/;

export type Fault = "required" | "email" | "phone" | "passwordShort" | "passwordPersonal" | VpaFault;
/** By field; a field that is right is left out. */
export type Faults<Field extends string> = Partial<Record<Field, Fault>>;

export interface SignUp {
  readonly name: string;
  readonly email: string;
  readonly password: string;
  readonly vpa: string;
}

function nameFault(name: string): Fault | undefined {
  return name.trim() === "" ? "required" : undefined;
}

function emailFault(email: string): Fault | undefined {
  if (email.trim() === "") return "required";
  return EMAIL.test(email.trim()) ? undefined : "email";
}

/** Of a new one: of an old one only the server can tell. */
function passwordFault(password: string, name: string, email: string): Fault | undefined {
  if (password === "") return "required";
  if ([...password].length < PASSWORD_LENGTH_MIN) return "passwordShort";
  const folded = password.trim().toLowerCase();
  const isPersonal = [name, email].some((own) => own.trim().toLowerCase() === folded);
  return isPersonal ? "passwordPersonal" : undefined;
}

function optionalVpaFault(vpa: string): Fault | undefined {
  return vpa.trim() === "" ? undefined : vpaFault(vpa);
}

function only<Field extends string>(faults: Record<Field, Fault | undefined>): Faults<Field> {
  const entries = Object.entries<Fault | undefined>(faults).filter(([, fault]) => fault !== undefined);
  return Object.fromEntries(entries) as Faults<Field>;
}

export function signUpFaults({ name, email, password, vpa }: SignUp): Faults<keyof SignUp> {
  return only({
    name: nameFault(name),
    email: emailFault(email),
    password: passwordFault(password, name, email),
    vpa: optionalVpaFault(vpa),
  });
}

export function signInFaults({ email, password }: { email: string; password: string }): Faults<"email" | "password"> {
  return only({ email: emailFault(email), password: password === "" ? "required" : undefined });
}

export function guestFaults({ name }: { name: string }): Faults<"name"> {
  return only({ name: nameFault(name) });
}

export function upgradeFaults(
  { email, password }: { email: string; password: string },
  name: string,
): Faults<"email" | "password"> {
  return only({ email: emailFault(email), password: passwordFault(password, name, email) });
}

export interface Profile {
  readonly name: string;
  readonly phone: string;
  readonly vpa: string;
}

export function profileFaults({ name, phone, vpa }: Profile): Faults<keyof Profile> {
  return only({
    name: nameFault(name),
    phone: phone.trim() === "" || PHONE.test(phone.trim()) ? undefined : "phone",
    vpa: optionalVpaFault(vpa),
  });
}

/** Only what changed; an emptied field is taken away with null. Undefined when nothing did. */
export function profileChanges(
  before: { readonly name: string; readonly phone: string | null; readonly vpa: string | null },
  { name, phone, vpa }: Profile,
): { name?: string; phone?: string | null; vpa?: string | null } | undefined {
  const changes: { name?: string; phone?: string | null; vpa?: string | null } = {};
  if (name.trim() !== before.name) changes.name = name.trim();
  if (phone.trim() !== (before.phone ?? "")) changes.phone = phone.trim() || null;
  if (vpa.trim().toLowerCase() !== (before.vpa ?? "")) changes.vpa = vpa.trim() || null;
  return Object.keys(changes).length > 0 ? changes : undefined;
}
