/** The ways an invite is written: as a link, as an address of the page, as the bare code. */

const CODE = /^[A-Za-z0-9_-]{6,64}$/;
/** As long as anybody's name may be: what a link says is shown, and no more of it than this. */
const NAME_LENGTH_MAX = 100;
const ID_LENGTH_MAX = 64;

/** What a link carries. With `claim` who joins takes over that placeholder, whom the link calls `name`. */
export interface InviteMeant {
  readonly code: string;
  readonly claim?: string;
  readonly name?: string;
}

/** The link for everybody, made into one for the person whose place in the group is waiting. */
export function linkFor(url: string, claim: string, name: string): string {
  const link = new URL(url);
  link.searchParams.set("claim", claim);
  link.searchParams.set("name", name);
  return link.href;
}

/** What is meant by a link, a code, or an address of this page; undefined where it is none of them. */
export function inviteIn(text: string): InviteMeant | undefined {
  const typed = text.trim();
  if (CODE.test(typed)) return { code: typed };
  let link: URL;
  try {
    link = new URL(/^[a-z]+:\/\//i.test(typed) ? typed : `https://${typed}`);
  } catch {
    return undefined;
  }
  return inviteOfLink(link.pathname, link.search) ?? inviteOfAddress(link.hash);
}

/** Of the path and query of a link: `/i/CODE?claim=…`. */
export function inviteOfLink(path: string, search: string): InviteMeant | undefined {
  const code = /^\/i\/([^/]+)\/?$/u.exec(path)?.[1];
  const query = new URLSearchParams(search);
  return meant(code, query.get("claim"), query.get("name"));
}

/** Of the page's own address: `#/join/CODE/CLAIM/NAME`. */
export function inviteOfAddress(hash: string): InviteMeant | undefined {
  const [, code, claim, name] = /^#?\/join\/([^/?]+)(?:\/([^/?]+))?(?:\/([^/?]+))?/u.exec(hash) ?? [];
  return meant(code, decoded(claim), decoded(name));
}

/** Where the page lets one join by it. */
export function addressOf({ code, claim, name }: InviteMeant): string {
  const parts = claim === undefined ? [code] : name === undefined ? [code, claim] : [code, claim, name];
  return ["/join", ...parts.map(encodeURIComponent)].join("/");
}

function meant(code: string | undefined, claim: string | null, name: string | null): InviteMeant | undefined {
  if (code === undefined || !CODE.test(code)) return undefined;
  if (!claim || claim.length > ID_LENGTH_MAX) return { code };
  return name ? { code, claim, name: name.slice(0, NAME_LENGTH_MAX) } : { code, claim };
}

function decoded(part: string | undefined): string | null {
  if (part === undefined) return null;
  try {
    return decodeURIComponent(part);
  } catch {
    return null;
  }
}
