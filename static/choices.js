// What the reader chose for this browser. Choices are cookies, so that the server can
// render a page by them from its first paint on.

const yearSeconds = 365 * 24 * 60 * 60;

export const chosen = (name) =>
  document.cookie.split("; ").find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1) ?? "";

// choose keeps a choice; "" forgets it.
export const choose = (name, value) => {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `${name}=${value}; Path=/; Max-Age=${value ? yearSeconds : 0}; SameSite=Lax${secure}`;
};
