/** UPI ids as the server takes them, told apart while one types. Whether one exists only a bank can tell. */

export type VpaFault = "vpaSpaces" | "vpaNoHandle" | "vpaTwoAts" | "vpaNpci" | "vpaEmail" | "vpaNoName" | "vpaLetters";

const VPA = /^(?=.{3,255}$)[A-Za-z0-9][A-Za-z0-9._-]{0,252}@[A-Za-z][A-Za-z0-9]{1,63}$/;

/** What is wrong with it, the most likely mistake first; undefined of a good one. Not of an empty one: that is none. */
export function vpaFault(text: string): VpaFault | undefined {
  const vpa = text.trim();
  if (VPA.test(vpa)) return undefined;
  const at = vpa.indexOf("@");
  const name = at < 0 ? vpa : vpa.slice(0, at);
  const handle = at < 0 ? "" : vpa.slice(at + 1);
  const faults: readonly (readonly [VpaFault, boolean])[] = [
    ["vpaSpaces", /\s/u.test(vpa)],
    ["vpaNoHandle", handle === ""],
    ["vpaTwoAts", handle.includes("@")],
    ["vpaNpci", handle.toLowerCase().endsWith(".npci")],
    ["vpaEmail", handle.includes(".")],
    ["vpaNoName", name === ""],
  ];
  return faults.find(([, isSo]) => isSo)?.[0] ?? "vpaLetters";
}
